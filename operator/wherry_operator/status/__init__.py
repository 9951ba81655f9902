"""What is: pure functions from what was found to a WasmApp's status and to the Events that tell of changes.

Time is a parameter. The same facts give the same status, byte for byte, so that nothing is written twice.
"""
