"""What the user wrote: a WasmApp. `model` describes it once; parser and CRD come from that. No I/O here."""
