/* RFC 1951, both ways: all of inflate, and a deflate of one block with fixed codes and a single-entry match table. */
#pragma once
#include <stdint.h>
#include <string.h>

static const uint16_t length_start[29] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27,
                                          31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t distance_start[30] = {1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129,
                                            193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};

static inline int distance_bits(int symbol) { return symbol < 2 ? 0 : symbol / 2 - 1; }

/* -- reading ------------------------------------------------------------------------------------------------------ */

typedef struct {
    const uint8_t *in, *in_end;
    uint8_t *out, *out_start, *out_end;
    uint32_t held;
    int bits, bad;
} inflater;

/* A canonical code: how many codes each length has, and the symbols in the order of their codes. */
typedef struct { uint16_t count[16], symbols[288]; } code;

static inline uint32_t take(inflater *z, int n) {
    while (z->bits < n) {
        if (z->in == z->in_end) return z->bad = 1, 0;
        z->held |= (uint32_t)*z->in++ << z->bits;
        z->bits += 8;
    }
    uint32_t value = z->held & ((1u << n) - 1);
    z->held >>= n;
    z->bits -= n;
    return value;
}

static inline code code_from(const uint8_t *lengths, int n) {
    code c = {0};
    uint16_t next[16] = {0};
    for (int i = 0; i < n; i++) c.count[lengths[i]]++;
    c.count[0] = 0;
    for (int i = 1; i < 15; i++) next[i + 1] = (uint16_t)(next[i] + c.count[i]);
    for (int i = 0; i < n; i++)
        if (lengths[i]) c.symbols[next[lengths[i]]++] = (uint16_t)i;
    return c;
}

static inline int symbol_of(inflater *z, const code *c) {
    int at = 0, first = 0, value = 0;
    for (int length = 1; length < 16; length++) {
        value |= (int)take(z, 1);
        if (value - first < c->count[length]) return c->symbols[at + value - first];
        at += c->count[length];
        first = (first + c->count[length]) << 1;
        value <<= 1;
    }
    return z->bad = 1, 0;
}

static inline void copy_back(inflater *z, int length, int distance) {
    if (distance > z->out - z->out_start || length > z->out_end - z->out) { z->bad = 1; return; }
    for (; length; length--, z->out++) *z->out = z->out[-distance];
}

static inline void coded_block(inflater *z, const code *lengths, const code *distances) {
    while (!z->bad) {
        int symbol = symbol_of(z, lengths);
        if (symbol == 256) return;
        if (symbol < 256) {
            if (z->out == z->out_end) { z->bad = 1; return; }
            *z->out++ = (uint8_t)symbol;
            continue;
        }
        if ((symbol -= 257) > 28) { z->bad = 1; return; }
        int length = length_start[symbol] + (int)take(z, length_bits[symbol]), d = symbol_of(z, distances);
        if (d > 29) { z->bad = 1; return; }
        copy_back(z, length, distance_start[d] + (int)take(z, distance_bits(d)));
    }
}

static inline void stored_block(inflater *z) {
    take(z, z->bits & 7);
    uint32_t length = take(z, 16);
    take(z, 16);
    if ((long)length > z->out_end - z->out) z->bad = 1;
    for (; length && !z->bad; length--) *z->out++ = (uint8_t)take(z, 8);
}

static inline void fixed_block(inflater *z) {
    uint8_t lengths[288], distances[30];
    for (int i = 0; i < 288; i++) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    memset(distances, 5, sizeof distances);
    code l = code_from(lengths, 288), d = code_from(distances, 30);
    coded_block(z, &l, &d);
}

static inline int run_of(inflater *z, int symbol) {
    return symbol == 16 ? 3 + (int)take(z, 2) : symbol == 17 ? 3 + (int)take(z, 3) : 11 + (int)take(z, 7);
}

static inline void dynamic_block(inflater *z) {
    static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[320] = {0}, meta[19] = {0};
    int literals = 257 + (int)take(z, 5), distances = 1 + (int)take(z, 5), metas = 4 + (int)take(z, 4);
    for (int i = 0; i < metas; i++) meta[order[i]] = (uint8_t)take(z, 3);
    code m = code_from(meta, 19);
    for (int i = 0; i < literals + distances && !z->bad;) {
        int symbol = symbol_of(z, &m);
        if (symbol < 16) { lengths[i++] = (uint8_t)symbol; continue; }
        uint8_t repeated = symbol == 16 && i ? lengths[i - 1] : 0;
        for (int n = run_of(z, symbol); n && i < literals + distances; n--) lengths[i++] = repeated;
    }
    if (literals > 286) { z->bad = 1; return; }
    code l = code_from(lengths, literals), d = code_from(lengths + literals, distances);
    coded_block(z, &l, &d);
}

/* 1 when `in` filled `out` exactly. */
static inline int inflate(const uint8_t *in, size_t size, uint8_t *out, size_t wanted) {
    inflater z = {.in = in, .in_end = in + size, .out = out, .out_start = out, .out_end = out + wanted};
    for (int last = 0; !last && !z.bad;) {
        last = (int)take(&z, 1);
        switch (take(&z, 2)) {
            case 0: stored_block(&z); break;
            case 1: fixed_block(&z); break;
            case 2: dynamic_block(&z); break;
            default: z.bad = 1;
        }
    }
    return !z.bad && z.out == z.out_end;
}

/* -- writing ------------------------------------------------------------------------------------------------------ */

typedef struct { uint8_t *out; uint64_t held; int bits; uint16_t codes[288]; uint8_t lengths[288], distances[30]; } deflater;

static inline void give(deflater *z, uint32_t value, int n) {
    z->held |= (uint64_t)value << z->bits;
    if ((z->bits += n) < 32) return;
    memcpy(z->out, &z->held, 4);
    z->out += 4;
    z->bits -= 32;
    z->held >>= 32;
}

static inline uint32_t turned(uint32_t value, int n) { /* Huffman codes go in with their top bit first */
    uint32_t out = 0;
    for (int i = 0; i < n; i++) out |= (value >> i & 1) << (n - 1 - i);
    return out;
}

static inline void set_fixed_codes(deflater *z) {
    for (uint32_t i = 0; i < 288; i++) {
        uint32_t value = i < 144 ? 0x30 + i : i < 256 ? 0x190 + i - 144 : i < 280 ? i - 256 : 0xc0 + i - 280;
        z->lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
        z->codes[i] = (uint16_t)turned(value, z->lengths[i]);
    }
    for (uint32_t i = 0; i < 30; i++) z->distances[i] = (uint8_t)turned(i, 5);
}

static inline void give_symbol(deflater *z, int symbol) { give(z, z->codes[symbol], z->lengths[symbol]); }

static inline void give_match(deflater *z, int length, int distance) {
    int l = 28, d = 29;
    while (length_start[l] > length) l--;
    while (distance_start[d] > distance) d--;
    give_symbol(z, 257 + l);
    give(z, (uint32_t)(length - length_start[l]), length_bits[l]);
    give(z, z->distances[d], 5);
    give(z, (uint32_t)(distance - distance_start[d]), distance_bits(d));
}

static inline int match_length(const uint8_t *a, const uint8_t *b, size_t most) {
    size_t n = 0, end = most < 258 ? most : 258;
    for (uint64_t x, y; n + 8 <= end; n += 8) {
        memcpy(&x, a + n, 8);
        memcpy(&y, b + n, 8);
        if (x != y) return (int)n + __builtin_ctzll(x ^ y) / 8;
    }
    while (n < end && a[n] == b[n]) n++;
    return (int)n;
}

/* The bytes written; `out` holds at least size * 9 / 8 + 16. */
static inline size_t deflate(const uint8_t *in, size_t size, uint8_t *out) {
    static uint32_t seen[1 << 14];
    deflater z = {.out = out};
    set_fixed_codes(&z);
    memset(seen, 0xff, sizeof seen);
    give(&z, 1, 1);
    give(&z, 1, 2);
    for (size_t i = 0; i < size;) {
        int length = 0;
        size_t before = 0;
        if (size - i > 4) {
            uint32_t head;
            memcpy(&head, in + i, 4);
            uint32_t *slot = &seen[head * 2654435761u >> 18];
            before = *slot;
            *slot = (uint32_t)i;
            if (before != UINT32_MAX && i - before <= 32768) length = match_length(in + before, in + i, size - i);
        }
        if (length < 4) give_symbol(&z, in[i++]);
        else give_match(&z, length, (int)(i - before)), i += (size_t)length;
    }
    give_symbol(&z, 256);
    memcpy(z.out, &z.held, 4);
    return (size_t)(z.out - out) + (size_t)(z.bits + 7) / 8;
}
