/* The variants of wasi:http/types: methods, schemes and error codes, as names and as case numbers. */
#ifndef CODES_H
#define CODES_H

#include "text.h"

enum { METHOD_OTHER = 9, SCHEME_HTTP = 0, SCHEME_HTTPS, SCHEME_OTHER };
enum { HTTP_REQUEST_DENIED = 15, HTTP_REQUEST_URI_INVALID = 19, INTERNAL_ERROR = 38, ERROR_CODES };

extern const char *const method_names[METHOD_OTHER];
extern const char *const error_names[ERROR_CODES];

string named(const char *name);
u8 method_case(string method); /* METHOD_OTHER when it is none of the nine */
u8 scheme_case(string scheme);
area *method_result(string method);
area *optional_string(string text); /* none when it is empty */
area *optional_scheme(string scheme);

#endif
