/* Fields: ordered, names in lower case, all values of one name side by side. */
#ifndef FIELDS_H
#define FIELDS_H

#include "text.h"

fields *fields_make(u32 room);
void fields_add(fields *f, string name, string value);
fields *fields_share(fields *f);       /* one more handle or owner */
fields *fields_take(handle owned);     /* ends the guest's handle; the caller owns what it stood for */
handle fields_handle(fields *f);       /* gives the guest one of the caller's shares */
void fields_drop(handle owned);
int is_forbidden(string lowered_name); /* hop-by-hop fields and host: the server's, never the guest's */

#endif
