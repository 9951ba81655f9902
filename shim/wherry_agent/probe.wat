;; A CGI program (RFC 3875): each request is one run of _start, whose output is the answer.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\23\00\00\00")
  (data (i32.const 16) "Content-Type: text/plain\n\nit works\n")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
