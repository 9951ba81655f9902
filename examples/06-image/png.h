/* PNG with 8 bits a channel, not interlaced: grey, grey with alpha, RGB, RGBA. */
#pragma once
#include "inflate.h"
#include "picture.h"

#define LARGEST 8192

static const uint8_t png_magic[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

static inline uint32_t big_endian(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

static inline void put_big_endian(uint8_t *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static inline int paeth(int left, int up, int corner) {
    int guess = left + up - corner, l = abs(guess - left), u = abs(guess - up), c = abs(guess - corner);
    return l <= u && l <= c ? left : u <= c ? up : corner;
}

static inline int predicted(int filter, int left, int up, int corner) {
    switch (filter) {
        case 1: return left;
        case 2: return up;
        case 3: return (left + up) / 2;
        case 4: return paeth(left, up, corner);
        default: return 0;
    }
}

/* Undo the filter of a row in place. `above` is the row before it, or zeros. */
static inline void unfilter(int filter, uint8_t *row, const uint8_t *above, int size, int step) {
    for (int i = 0; i < size; i++) {
        int left = i < step ? 0 : row[i - step], corner = i < step ? 0 : above[i - step];
        row[i] = (uint8_t)(row[i] + predicted(filter, left, above[i], corner));
    }
}

static inline void to_rgba(uint8_t *out, const uint8_t *row, int width, int channels) {
    for (int x = 0; x < width; x++, out += 4, row += channels) {
        int colour = channels > 2;
        for (int c = 0; c < 3; c++) out[c] = row[colour ? c : 0];
        out[3] = channels == 2 ? row[1] : channels == 4 ? row[3] : 255;
    }
}

static inline picture from_rows(uint8_t *rows, int width, int height, int channels) {
    int size = width * channels;
    picture p = {width, height, malloc((size_t)width * (size_t)height * 4)};
    const uint8_t *above = calloc(1, (size_t)size);
    for (int y = 0; y < height; y++) {
        uint8_t *row = rows + (size_t)y * (size_t)(size + 1);
        unfilter(row[0], row + 1, above, size, channels);
        to_rgba(p.rgba + (size_t)y * (size_t)width * 4, row + 1, width, channels);
        above = row + 1;
    }
    return p;
}

/* The compressed bytes of all IDAT chunks, moved together at the start of `png`; 0 when a chunk is cut short. */
static inline size_t gather(uint8_t *png, size_t size) {
    size_t at = 8, got = 0;
    while (size - at >= 12) {
        size_t length = big_endian(png + at);
        if (length > size - at - 12) return 0;
        if (!memcmp(png + at + 4, "IDAT", 4)) memmove(png + got, png + at + 8, length), got += length;
        at += length + 12;
    }
    return got;
}

/* A picture without pixels when these bytes are no PNG of the kind above. `png` is overwritten. */
static inline picture decoded(uint8_t *png, size_t size) {
    static const int channels_of[7] = {1, 0, 3, 0, 2, 0, 4};
    picture none = {0};
    if (size < 33 || memcmp(png, png_magic, 8)) return none;
    uint32_t width = big_endian(png + 16), height = big_endian(png + 20);
    int channels = png[25] < 7 ? channels_of[png[25]] : 0;
    if (!width || !height || width > LARGEST || height > LARGEST || png[24] != 8 || !channels || png[28]) return none;
    size_t raw = (size_t)height * (width * (uint32_t)channels + 1), packed_size = gather(png, size);
    uint8_t *rows = malloc(raw);
    if (packed_size < 6 || !rows || !inflate(png + 2, packed_size - 6, rows, raw)) return none;
    picture p = from_rows(rows, (int)width, (int)height, channels);
    free(rows);
    return p;
}

/* -- writing ------------------------------------------------------------------------------------------------------ */

static inline uint32_t crc(const uint8_t *data, size_t size) {
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            table[i] = i;
            for (int k = 0; k < 8; k++) table[i] = table[i] & 1 ? 0xedb88320u ^ table[i] >> 1 : table[i] >> 1;
        }
    uint32_t sum = ~0u;
    for (size_t i = 0; i < size; i++) sum = table[(sum ^ data[i]) & 255] ^ sum >> 8;
    return ~sum;
}

static inline uint32_t adler(const uint8_t *data, size_t size) {
    uint32_t a = 1, b = 0;
    for (size_t done = 0; done < size; a %= 65521, b %= 65521)
        for (size_t end = size - done < 5552 ? size : done + 5552; done < end; done++) a += data[done], b += a;
    return b << 16 | a;
}

/* Finish a chunk whose `length` bytes of data stand at `at + 8`; returns where the next begins. */
static inline uint8_t *chunk(uint8_t *at, const char *name, size_t length) {
    put_big_endian(at, (uint32_t)length);
    memcpy(at + 4, name, 4);
    put_big_endian(at + 8 + length, crc(at + 4, length + 4));
    return at + 12 + length;
}

/* Every row by the Paeth filter, which suits photographs. */
static inline uint8_t *filtered_rows(picture p, size_t *size) {
    int row_size = p.width * 4;
    uint8_t *rows = malloc(*size = (size_t)p.height * (size_t)(row_size + 1)), *out = rows;
    for (int y = 0; y < p.height; y++) {
        const uint8_t *row = p.rgba + (size_t)y * (size_t)row_size;
        *out++ = 4;
        for (int i = 0; i < row_size; i++) {
            int left = i < 4 ? 0 : row[i - 4], up = y ? row[i - row_size] : 0, corner = i < 4 || !y ? 0 : row[i - 4 - row_size];
            *out++ = (uint8_t)(row[i] - paeth(left, up, corner));
        }
    }
    return rows;
}

static inline uint8_t *encoded(picture p, size_t *size) {
    size_t raw;
    uint8_t *rows = filtered_rows(p, &raw), *png = malloc(raw + raw / 8 + 128), *at = png + 8;
    memcpy(png, png_magic, 8);
    put_big_endian(at + 8, (uint32_t)p.width);
    put_big_endian(at + 12, (uint32_t)p.height);
    memcpy(at + 16, (uint8_t[]){8, 6, 0, 0, 0}, 5);
    at = chunk(at, "IHDR", 13);
    memcpy(at + 8, (uint8_t[]){0x78, 0x01}, 2);
    size_t packed_size = deflate(rows, raw, at + 10);
    put_big_endian(at + 10 + packed_size, adler(rows, raw));
    at = chunk(at, "IDAT", packed_size + 6);
    at = chunk(at, "IEND", 0);
    free(rows);
    *size = (size_t)(at - png);
    return png;
}
