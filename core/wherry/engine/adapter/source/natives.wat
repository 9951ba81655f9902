;; What the adapter may ask of the host. The composer takes from here the interfaces and functions that the adapter's core
;; modules import, and the types that those need; the versions are the composer's to choose.
(component
  (import "wasi:io/error@0.2.0" (instance $error
    (export "error" (type (sub resource)))))
  (alias export $error "error" (type $io-error))

  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.ready" (func (param "self" (borrow $pollable)) (result bool)))
    (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))

  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $io-error (type $outer-error))
    (export "error" (type $error (eq $outer-error)))
    (export "input-stream" (type $input-stream (sub resource)))
    (export "output-stream" (type $output-stream (sub resource)))
    (type $stream-error' (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $output-stream)) (param "contents" (list u8))
      (result (result (error $stream-error)))))))
  (alias export $streams "input-stream" (type $input-stream))
  (alias export $streams "output-stream" (type $output-stream))

  (import "wasi:cli/stdin@0.2.0" (instance
    (alias outer 1 $input-stream (type $outer-stream))
    (export "input-stream" (type $input-stream (eq $outer-stream)))
    (export "get-stdin" (func (result (own $input-stream))))))
  (import "wasi:cli/stdout@0.2.0" (instance
    (alias outer 1 $output-stream (type $outer-stream))
    (export "output-stream" (type $output-stream (eq $outer-stream)))
    (export "get-stdout" (func (result (own $output-stream))))))
  (import "wasi:cli/stderr@0.2.0" (instance
    (alias outer 1 $output-stream (type $outer-stream))
    (export "output-stream" (type $output-stream (eq $outer-stream)))
    (export "get-stderr" (func (result (own $output-stream))))))

  (import "wasi:clocks/monotonic-clock@0.2.0" (instance
    (alias outer 1 $pollable (type $outer-pollable))
    (export "pollable" (type $pollable (eq $outer-pollable)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))

  ;; The host's own HTTP client; the outbound adapters stand before it. The types are those of every 0.2 version.
  (import "wasi:http/types@0.2.0" (instance $http
    (alias outer 1 $io-error (type $outer-error))
    (alias outer 1 $pollable (type $outer-pollable))
    (alias outer 1 $input-stream (type $outer-input))
    (alias outer 1 $output-stream (type $outer-output))
    (export "io-error" (type $io-error (eq $outer-error)))
    (export "pollable" (type $pollable (eq $outer-pollable)))
    (export "input-stream" (type $input-stream (eq $outer-input)))
    (export "output-stream" (type $output-stream (eq $outer-output)))
    (type $method' (variant (case "get") (case "head") (case "post") (case "put") (case "delete") (case "connect")
      (case "options") (case "trace") (case "patch") (case "other" string)))
    (export "method" (type $method (eq $method')))
    (type $scheme' (variant (case "HTTP") (case "HTTPS") (case "other" string)))
    (export "scheme" (type $scheme (eq $scheme')))
    (type $dns' (record (field "rcode" (option string)) (field "info-code" (option u16))))
    (export "DNS-error-payload" (type $dns (eq $dns')))
    (type $alert' (record (field "alert-id" (option u8)) (field "alert-message" (option string))))
    (export "TLS-alert-received-payload" (type $alert (eq $alert')))
    (type $size' (record (field "field-name" (option string)) (field "field-size" (option u32))))
    (export "field-size-payload" (type $size (eq $size')))
    (type $error-code' (variant
      (case "DNS-timeout")
      (case "DNS-error" $dns)
      (case "destination-not-found")
      (case "destination-unavailable")
      (case "destination-IP-prohibited")
      (case "destination-IP-unroutable")
      (case "connection-refused")
      (case "connection-terminated")
      (case "connection-timeout")
      (case "connection-read-timeout")
      (case "connection-write-timeout")
      (case "connection-limit-reached")
      (case "TLS-protocol-error")
      (case "TLS-certificate-error")
      (case "TLS-alert-received" $alert)
      (case "HTTP-request-denied")
      (case "HTTP-request-length-required")
      (case "HTTP-request-body-size" (option u64))
      (case "HTTP-request-method-invalid")
      (case "HTTP-request-URI-invalid")
      (case "HTTP-request-URI-too-long")
      (case "HTTP-request-header-section-size" (option u32))
      (case "HTTP-request-header-size" (option $size))
      (case "HTTP-request-trailer-section-size" (option u32))
      (case "HTTP-request-trailer-size" $size)
      (case "HTTP-response-incomplete")
      (case "HTTP-response-header-section-size" (option u32))
      (case "HTTP-response-header-size" $size)
      (case "HTTP-response-body-size" (option u64))
      (case "HTTP-response-trailer-section-size" (option u32))
      (case "HTTP-response-trailer-size" $size)
      (case "HTTP-response-transfer-coding" (option string))
      (case "HTTP-response-content-coding" (option string))
      (case "HTTP-response-timeout")
      (case "HTTP-upgrade-failed")
      (case "HTTP-protocol-error")
      (case "loop-detected")
      (case "configuration-error")
      (case "internal-error" (option string))))
    (export "error-code" (type $error-code (eq $error-code')))
    (type $header-error' (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
    (export "header-error" (type $header-error (eq $header-error')))
    (export "fields" (type $fields (sub resource)))
    (export "outgoing-request" (type $outgoing-request (sub resource)))
    (export "request-options" (type $request-options (sub resource)))
    (export "outgoing-body" (type $outgoing-body (sub resource)))
    (export "future-incoming-response" (type $future-response (sub resource)))
    (export "incoming-response" (type $incoming-response (sub resource)))
    (export "incoming-body" (type $incoming-body (sub resource)))
    (export "future-trailers" (type $future-trailers (sub resource)))
    (export "http-error-code" (func (param "err" (borrow $io-error)) (result (option $error-code))))
    (export "[constructor]fields" (func (result (own $fields))))
    (export "[static]fields.from-list" (func
      (param "entries" (list (tuple string (list u8)))) (result (result (own $fields) (error $header-error)))))
    (export "[method]fields.entries" (func
      (param "self" (borrow $fields)) (result (list (tuple string (list u8))))))
    (export "[constructor]outgoing-request" (func (param "headers" (own $fields)) (result (own $outgoing-request))))
    (export "[method]outgoing-request.set-method" (func
      (param "self" (borrow $outgoing-request)) (param "method" $method) (result (result))))
    (export "[method]outgoing-request.set-path-with-query" (func
      (param "self" (borrow $outgoing-request)) (param "path-with-query" (option string)) (result (result))))
    (export "[method]outgoing-request.set-scheme" (func
      (param "self" (borrow $outgoing-request)) (param "scheme" (option $scheme)) (result (result))))
    (export "[method]outgoing-request.set-authority" (func
      (param "self" (borrow $outgoing-request)) (param "authority" (option string)) (result (result))))
    (export "[method]outgoing-request.body" (func
      (param "self" (borrow $outgoing-request)) (result (result (own $outgoing-body)))))
    (export "[constructor]request-options" (func (result (own $request-options))))
    (export "[method]request-options.set-connect-timeout" (func
      (param "self" (borrow $request-options)) (param "duration" (option u64)) (result (result))))
    (export "[method]request-options.set-first-byte-timeout" (func
      (param "self" (borrow $request-options)) (param "duration" (option u64)) (result (result))))
    (export "[method]request-options.set-between-bytes-timeout" (func
      (param "self" (borrow $request-options)) (param "duration" (option u64)) (result (result))))
    (export "[method]outgoing-body.write" (func
      (param "self" (borrow $outgoing-body)) (result (result (own $output-stream)))))
    (export "[static]outgoing-body.finish" (func
      (param "this" (own $outgoing-body)) (param "trailers" (option (own $fields)))
      (result (result (error $error-code)))))
    (export "[method]future-incoming-response.subscribe" (func
      (param "self" (borrow $future-response)) (result (own $pollable))))
    (export "[method]future-incoming-response.get" (func
      (param "self" (borrow $future-response))
      (result (option (result (result (own $incoming-response) (error $error-code)))))))
    (export "[method]incoming-response.status" (func (param "self" (borrow $incoming-response)) (result u16)))
    (export "[method]incoming-response.headers" (func
      (param "self" (borrow $incoming-response)) (result (own $fields))))
    (export "[method]incoming-response.consume" (func
      (param "self" (borrow $incoming-response)) (result (result (own $incoming-body)))))
    (export "[method]incoming-body.stream" (func
      (param "self" (borrow $incoming-body)) (result (result (own $input-stream)))))
    (export "[static]incoming-body.finish" (func
      (param "this" (own $incoming-body)) (result (own $future-trailers))))
    (export "[method]future-trailers.subscribe" (func
      (param "self" (borrow $future-trailers)) (result (own $pollable))))
    (export "[method]future-trailers.get" (func
      (param "self" (borrow $future-trailers))
      (result (option (result (result (option (own $fields)) (error $error-code)))))))))
  (alias export $http "outgoing-request" (type $outgoing-request))
  (alias export $http "request-options" (type $request-options))
  (alias export $http "future-incoming-response" (type $future-response))
  (alias export $http "error-code" (type $error-code))
  (import "wasi:http/outgoing-handler@0.2.0" (instance
    (alias outer 1 $outgoing-request (type $outer-request))
    (alias outer 1 $request-options (type $outer-options))
    (alias outer 1 $future-response (type $outer-future))
    (alias outer 1 $error-code (type $outer-code))
    (export "outgoing-request" (type $outgoing-request (eq $outer-request)))
    (export "request-options" (type $request-options (eq $outer-options)))
    (export "future-incoming-response" (type $future-response (eq $outer-future)))
    (export "error-code" (type $error-code (eq $outer-code)))
    (export "handle" (func
      (param "request" (own $outgoing-request)) (param "options" (option (own $request-options)))
      (result (result (own $future-response) (error $error-code)))))))

  (import "wherry:host/control" (instance
    (export "respond" (func (param "head" string)))
    (export "trailers" (func (result string)))
    (export "egress" (func (result string)))))
)
