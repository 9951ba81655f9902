#include "codes.h"

const char *const method_names[METHOD_OTHER] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                "CONNECT", "OPTIONS", "TRACE", "PATCH"};

const char *const error_names[ERROR_CODES] = {
    "DNS-timeout",
    "DNS-error",
    "destination-not-found",
    "destination-unavailable",
    "destination-IP-prohibited",
    "destination-IP-unroutable",
    "connection-refused",
    "connection-terminated",
    "connection-timeout",
    "connection-read-timeout",
    "connection-write-timeout",
    "connection-limit-reached",
    "TLS-protocol-error",
    "TLS-certificate-error",
    "TLS-alert-received",
    "HTTP-request-denied",
    "HTTP-request-length-required",
    "HTTP-request-body-size",
    "HTTP-request-method-invalid",
    "HTTP-request-URI-invalid",
    "HTTP-request-URI-too-long",
    "HTTP-request-header-section-size",
    "HTTP-request-header-size",
    "HTTP-request-trailer-section-size",
    "HTTP-request-trailer-size",
    "HTTP-response-incomplete",
    "HTTP-response-header-section-size",
    "HTTP-response-header-size",
    "HTTP-response-body-size",
    "HTTP-response-trailer-section-size",
    "HTTP-response-trailer-size",
    "HTTP-response-transfer-coding",
    "HTTP-response-content-coding",
    "HTTP-response-timeout",
    "HTTP-upgrade-failed",
    "HTTP-protocol-error",
    "loop-detected",
    "configuration-error",
    "internal-error",
};

string named(const char *name) {
  string s = {(u8 *)name, 0};
  while (name[s.size]) s.size++;
  return s;
}

u8 method_case(string method) {
  u8 i = 0;
  while (i < METHOD_OTHER && !same(method, named(method_names[i]))) i++;
  return i;
}

u8 scheme_case(string scheme) {
  if (same_folded(TEXT("http"), scheme)) return SCHEME_HTTP;
  return same_folded(TEXT("https"), scheme) ? SCHEME_HTTPS : SCHEME_OTHER;
}

area *method_result(string method) {
  out.byte[0] = method_case(method);
  out.word[1] = (u32)method.at;
  out.word[2] = method.size;
  return &out;
}

area *optional_string(string text) {
  out.byte[0] = text.size > 0;
  out.word[1] = (u32)text.at;
  out.word[2] = text.size;
  return &out;
}

area *optional_scheme(string scheme) {
  out.byte[0] = scheme.size > 0;
  out.byte[4] = scheme_case(scheme);
  out.word[2] = (u32)scheme.at;
  out.word[3] = scheme.size;
  return &out;
}
