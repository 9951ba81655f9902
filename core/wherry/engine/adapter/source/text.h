/* Text: comparing, the lines of heads, and what the HTTP grammar allows in names and values (RFC 9110, section 5). */
#ifndef TEXT_H
#define TEXT_H

#include "heap.h"

static inline u8 lower(u8 c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

static inline int same(string a, string b) {
  if (a.size != b.size) return 0;
  for (u32 i = 0; i < a.size; i++)
    if (a.at[i] != b.at[i]) return 0;
  return 1;
}

static inline int same_folded(string lowered, string other) {
  if (lowered.size != other.size) return 0;
  for (u32 i = 0; i < other.size; i++)
    if (lowered.at[i] != lower(other.at[i])) return 0;
  return 1;
}

#define TEXT(literal) ((string){(u8 *)(literal), sizeof(literal) - 1})

static inline string duplicate(string s) {
  string twin = {allocate(s.size), s.size};
  copy(twin.at, s.at, s.size);
  return twin;
}

/* Cuts the next line off the text. A text without a line break is one line. */
static inline string next_line(string *text) {
  string line = {text->at, 0};
  while (line.size < text->size && line.at[line.size] != '\n') line.size++;
  u32 used = line.size < text->size ? line.size + 1 : line.size;
  text->at += used;
  text->size -= used;
  return line;
}

/* tchar, and DEL and above are not. */
static inline int is_token(string s) {
  static const u32 allowed[4] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
  for (u32 i = 0; i < s.size; i++)
    if (s.at[i] > 127 || !(allowed[s.at[i] >> 5] >> (s.at[i] & 31) & 1)) return 0;
  return s.size > 0;
}

static inline int is_field_value(string s) {
  for (u32 i = 0; i < s.size; i++)
    if ((s.at[i] < 32 && s.at[i] != '\t') || s.at[i] == 127) return 0;
  return 1;
}

/* What a request target or an authority may be made of: visible ASCII. */
static inline int is_target(string s) {
  for (u32 i = 0; i < s.size; i++)
    if (s.at[i] <= 32 || s.at[i] >= 127) return 0;
  return s.size > 0;
}

#endif
