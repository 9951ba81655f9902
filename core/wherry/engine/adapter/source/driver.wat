;; One request: a component instance cannot be entered while it is on the stack, so neither the adapter nor the guest can
;; call the other's handler. This can. It has no memory, so that it costs next to nothing.
(module
  (import "adapter" "take-request" (func $request (result i32)))
  (import "adapter" "take-outparam" (func $outparam (result i32)))
  (import "adapter" "take-ending" (func $finish (result i32)))
  (import "guest" "handle" (func $handle (param i32 i32)))
  (func (export "run") (result i32)
    (call $handle (call $request) (call $outparam))
    (call $finish)))
