/* wasi:http/types, resource fields. Every change is refused in the same cases as by wasmtime's own implementation. */
#include "fields.h"

IMPORT("resource", "[resource-new]fields") handle new_fields(fields *);
IMPORT("resource", "[resource-rep]fields") fields *fields_of(handle);
IMPORT("resource", "[resource-drop]fields") void drop_fields(handle);

enum { INVALID_SYNTAX, FORBIDDEN, IMMUTABLE, ACCEPTED };

area out;

fields *fields_make(u32 room) {
  fields *f = allocate(sizeof *f);
  *f = (fields){.handles = 1, .room = room, .list = allocate(room * sizeof(field))};
  return f;
}

fields *fields_share(fields *f) {
  f->handles++;
  return f;
}

handle fields_handle(fields *f) { return new_fields(f); }

void fields_drop(handle owned) { drop_fields(owned); }

fields *fields_take(handle owned) {
  fields *f = fields_share(fields_of(owned));
  drop_fields(owned);
  return f;
}

int is_forbidden(string name) {
  switch (name.size) {
  case 4: return same(name, TEXT("host"));
  case 7: return same(name, TEXT("upgrade"));
  case 10: return same(name, TEXT("connection")) || same(name, TEXT("keep-alive"));
  case 14: return same(name, TEXT("http2-settings"));
  case 16: return same(name, TEXT("proxy-connection"));
  case 17: return same(name, TEXT("transfer-encoding"));
  case 18: return same(name, TEXT("proxy-authenticate"));
  case 19: return same(name, TEXT("proxy-authorization"));
  }
  return 0;
}

static void fold(string name) {
  for (u32 i = 0; i < name.size; i++) name.at[i] = lower(name.at[i]);
}

/* Where the values of a name begin, or count. */
static u32 find(const fields *f, string name) {
  u32 i = 0;
  while (i < f->count && !same_folded(f->list[i].name, name)) i++;
  return i;
}

static u32 past(const fields *f, u32 i, string name) {
  while (i < f->count && same_folded(f->list[i].name, name)) i++;
  return i;
}

static void widen(fields *f) {
  u32 room = f->room ? f->room * 2 : 8;
  f->list = reallocate(f->list, f->room * sizeof(field), 4, room * sizeof(field));
  f->room = room;
}

void fields_add(fields *f, string name, string value) {
  if (f->count == f->room) widen(f);
  u32 place = past(f, find(f, name), name);
  for (u32 i = f->count++; i > place; i--) f->list[i] = f->list[i - 1];
  f->list[place] = (field){name, value};
}

static void remove_all(fields *f, string name) {
  u32 first = find(f, name), last = past(f, first, name);
  for (u32 i = first; i < last; i++) {
    release(f->list[i].name.at, f->list[i].name.size);
    release(f->list[i].value.at, f->list[i].value.size);
  }
  for (u32 i = last; i < f->count; i++) f->list[first + i - last] = f->list[i];
  f->count -= last - first;
}

static u8 check_name(string name) {
  if (!is_token(name)) return INVALID_SYNTAX;
  fold(name);
  return is_forbidden(name) ? FORBIDDEN : ACCEPTED;
}

static u8 check_values(const string *values, u32 count) {
  for (u32 i = 0; i < count; i++)
    if (!is_field_value(values[i])) return INVALID_SYNTAX;
  return ACCEPTED;
}

static u8 check_change(const fields *f, string name, const string *values, u32 count) {
  u8 verdict = check_name(name);
  if (verdict == ACCEPTED) verdict = check_values(values, count);
  if (verdict == ACCEPTED && f->immutable) verdict = IMMUTABLE;
  return verdict;
}

static area *answer(u8 verdict) {
  if (verdict != ACCEPTED) return error(verdict);
  out.byte[0] = 0;
  return &out;
}

EXPORT("[constructor]fields") handle fields_new(void) { return new_fields(fields_make(0)); }

static u8 check_entry(const field *entry) {
  u8 verdict = check_name(entry->name);
  return verdict == ACCEPTED ? check_values(&entry->value, 1) : verdict;
}

static area *refused(u8 verdict) {
  out.byte[0] = 1;
  out.byte[4] = verdict;
  return &out;
}

EXPORT("[static]fields.from-list") area *fields_from_list(field *list, u32 count) {
  fields *f = fields_make(count);
  for (u32 i = 0; i < count; i++) {
    u8 verdict = check_entry(&list[i]);
    if (verdict != ACCEPTED) return refused(verdict);
    fields_add(f, list[i].name, list[i].value);
  }
  release(list, count * sizeof(field));
  return ok(new_fields(f));
}

EXPORT("[method]fields.get") area *fields_get(const fields *f, FLAT(name)) {
  string name = UNFLAT(name);
  static string *values;
  static u32 room;
  u32 first = find(f, name), count = past(f, first, name) - first;
  if (count > room) {
    values = reallocate(values, room * sizeof(string), 4, count * sizeof(string));
    room = count;
  }
  for (u32 i = 0; i < count; i++) values[i] = f->list[first + i].value;
  release(name.at, name.size);
  out.word[0] = (u32)values;
  out.word[1] = count;
  return &out;
}

EXPORT("[method]fields.has") int fields_has(const fields *f, FLAT(name)) {
  string name = UNFLAT(name);
  int found = find(f, name) < f->count;
  release(name.at, name.size);
  return found;
}

EXPORT("[method]fields.set") area *fields_set(fields *f, FLAT(name), string *values, u32 count) {
  string name = UNFLAT(name);
  u8 verdict = check_change(f, name, values, count);
  if (verdict != ACCEPTED) return answer(verdict);
  remove_all(f, name);
  for (u32 i = 0; i < count; i++) fields_add(f, i ? duplicate(name) : name, values[i]);
  release(values, count * sizeof(string));
  return answer(ACCEPTED);
}

EXPORT("[method]fields.delete") area *fields_delete(fields *f, FLAT(name)) {
  string name = UNFLAT(name);
  u8 verdict = check_change(f, name, 0, 0);
  if (verdict == ACCEPTED) remove_all(f, name);
  release(name.at, name.size);
  return answer(verdict);
}

EXPORT("[method]fields.append") area *fields_append(fields *f, FLAT(name), FLAT(value)) {
  string name = UNFLAT(name);
  string value = UNFLAT(value);
  u8 verdict = check_change(f, name, &value, 1);
  if (verdict == ACCEPTED) fields_add(f, name, value);
  return answer(verdict);
}

EXPORT("[method]fields.entries") area *fields_entries(const fields *f) {
  out.word[0] = (u32)f->list;
  out.word[1] = f->count;
  return &out;
}

EXPORT("[method]fields.clone") handle fields_clone(const fields *f) {
  fields *twin = fields_make(f->count);
  for (u32 i = 0; i < f->count; i++) twin->list[i] = (field){duplicate(f->list[i].name), duplicate(f->list[i].value)};
  twin->count = f->count;
  return new_fields(twin);
}
