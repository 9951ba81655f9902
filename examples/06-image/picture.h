/* A picture in memory, and the one operation that resize and blur are: a weighted sum along rows, then along columns. */
#pragma once
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct { int width, height; uint8_t *rgba; } picture;

typedef float pixel __attribute__((vector_size(16))); /* four channels at once: SSE natively, simd128 in Wasm */

/* Output i is the sum of `count` inputs from `first[i]` on, each with its weight. */
typedef struct { int outputs, count, *first; float *weights; } taps;

typedef float (*kernel)(float distance, float width);

static inline float triangle(float distance, float width) { return fmaxf(0, 1 - fabsf(distance) / width); }

/* Close to a Gaussian, and exact on every machine: no function of a maths library is in it. */
static inline float bell(float distance, float width) {
    float x = distance / width, y = fmaxf(0, 1 - x * x);
    return y * y * y;
}

static inline int within(int value, int low, int high) { return value < low ? low : value > high ? high : value; }

/* reach: inputs on each side that count. Weights of one output add up to 1, at the borders too. */
static inline taps taps_for(int inputs, int outputs, kernel shape, float reach) {
    int count = within(2 * (int)ceilf(reach) + 1, 1, inputs);
    taps t = {outputs, count, malloc(sizeof(int) * (size_t)outputs), malloc(sizeof(float) * (size_t)(outputs * count))};
    for (int i = 0; i < outputs; i++) {
        float centre = ((float)i + 0.5f) * (float)inputs / (float)outputs - 0.5f, sum = 0, *w = t.weights + i * count;
        t.first[i] = within((int)floorf(centre + 0.5f) - count / 2, 0, inputs - count);
        for (int k = 0; k < count; k++) sum += w[k] = shape((float)(t.first[i] + k) - centre, reach);
        for (int k = 0; k < count; k++) w[k] /= sum;
    }
    return t;
}

/* One pass along rows. The result is turned on its side, so that a second pass goes along columns and turns it back.
 * Four rows go together: each weight is read once for them, and what they write shares a cache line. */
static inline pixel *pass(const pixel *in, int width, int height, taps t) {
    pixel *out = malloc(sizeof(pixel) * (size_t)t.outputs * (size_t)height);
    for (int y = 0; y < height; y += 4) {
        size_t rows[4];
        for (int r = 0; r < 4; r++) rows[r] = (size_t)within(y + r, 0, height - 1);
        for (int x = 0; x < t.outputs; x++) {
            const pixel *from = in + t.first[x];
            const float *w = t.weights + x * t.count;
            pixel sums[4] = {{0}};
#pragma clang loop unroll_count(4)
            for (int k = 0; k < t.count; k++)
                for (int r = 0; r < 4; r++) sums[r] += from[rows[r] * (size_t)width + (size_t)k] * w[k];
            for (int r = 0; r < 4; r++) out[(size_t)x * (size_t)height + rows[r]] = sums[r];
        }
    }
    free(t.first);
    free(t.weights);
    return out;
}

static inline pixel *unpacked(picture p) {
    size_t count = (size_t)p.width * (size_t)p.height;
    pixel *out = malloc(sizeof(pixel) * count);
    for (size_t i = 0; i < count; i++)
        for (int c = 0; c < 4; c++) out[i][c] = p.rgba[4 * i + (size_t)c];
    return out;
}

static inline picture packed(const pixel *in, int width, int height) {
    size_t count = (size_t)width * (size_t)height;
    picture p = {width, height, malloc(4 * count)};
    for (size_t i = 0; i < count; i++)
        for (int c = 0; c < 4; c++) p.rgba[4 * i + (size_t)c] = (uint8_t)(in[i][c] + 0.5f);
    return p;
}

static inline picture filtered(picture in, int width, int height, kernel shape, float reach_x, float reach_y) {
    pixel *start = unpacked(in);
    pixel *turned = pass(start, in.width, in.height, taps_for(in.width, width, shape, reach_x));
    pixel *back = pass(turned, in.height, width, taps_for(in.height, height, shape, reach_y));
    picture out = packed(back, width, height);
    free(start);
    free(turned);
    free(back);
    return out;
}

static inline picture resized(picture in, int width, int height) {
    return filtered(in, width, height, triangle, fmaxf(1, (float)in.width / (float)width), fmaxf(1, (float)in.height / (float)height));
}

static inline picture blurred(picture in, int radius) {
    return filtered(in, in.width, in.height, bell, (float)radius, (float)radius);
}
