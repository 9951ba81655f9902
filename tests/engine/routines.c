/* Tries the five routines, whose bytes routines.h has; exits with the line of what went wrong, else with 0. No libc:
 * it is built for either machine in a moment. */
#define CODE(place) __attribute__((section(place))) static const unsigned char
#include "routines.h"

typedef unsigned long word;
typedef float vector __attribute__((vector_size(16)));
typedef struct {
    word (*function)(word, word, word, word, word, word, word);
    word *into, mask, expected, *arguments[7];
} record;

#define EXPECT(condition) if (!(condition)) return __LINE__

static word calls, digits;

static word called(word a, word b, word c, word d, word e, word f, word g) {
    volatile vector aligned = {(float)a, (float)b, (float)c, (float)d}; /* a fault on a stack that is not */
    calls++;
    digits = (((((a * 10 + b) * 10 + c) * 10 + d) * 10 + e) * 10 + f) * 10 + g;
    return 0x100 + (word)aligned[1];
}

static int tried(void) {
    const record *(*made)(const record *, const record *) = (void *)walk;
    void (*spread_out)(const char *, const char **, word) = (void *)spread;
    word (*same)(word) = (void *)itself;
    word cells[] = {1, 2, 3, 4, 5, 6, 7}, result = 0;
#define ARGUMENTS {cells, cells + 1, cells + 2, cells + 3, cells + 4, cells + 5, cells + 6}
    const record list[] = {
        {called, cells, 0, 0, ARGUMENTS},          /* its result is the next one's argument */
        {called, &result, 0xff, 2, ARGUMENTS},     /* goes on: in the byte that counts is what is expected */
        {called, &result, -1ul, 0, ARGUMENTS},     /* stops: this is no NULL */
        {called, &result, 0, 0, ARGUMENTS},
    };
    EXPECT(made(list, list + 1) == list + 1 && calls == 1);
    EXPECT(digits == 1234567 && cells[0] == 0x102);
    EXPECT(made(list + 1, list + 4) == list + 2 && calls == 3);
    EXPECT(digits == 0x102 * 1000000 + 234567 && result == 0x102);
    EXPECT(made(list + 3, list + 4) == list + 4 && calls == 4);
    EXPECT(made(list + 4, list + 4) == list + 4 && calls == 4);

    const char text[] = "one\0\0three", *places[4] = {0};
    spread_out(text, places, 0);
    EXPECT(!places[0]);
    spread_out(text, places, 3);
    EXPECT(places[0] == text && places[1] == text + 4 && places[2] == text + 5 && !places[3]);
    EXPECT(same(-1ul) == -1ul && !same(0));

    void (*copied)(const void *, word, word) = (void *)restore;
    word (*told)(const void *, word *, word *) = (void *)extent;
    static unsigned char pages[4 * 64], original[4 * 64];
    for (int at = 0; at < 4 * 64; at++) original[at] = at + 1;
#define REGION(first, last) {(word)(pages + 64 * (first)), (word)(pages + 64 * (last)), 7}
    const word regions[][3] = {REGION(0, 1), REGION(2, 4)};
    copied(regions, 0, original - pages);
    for (int at = 0; at < 4 * 64; at++) EXPECT(!pages[at]);
    copied(regions, 2, original - pages);
    for (int at = 0; at < 4 * 64; at++) EXPECT(pages[at] == (at / 64 == 1 ? 0 : (at + 1) % 256));
    EXPECT(regions[0][2] == 7 && original[255] == 0);

    const word memory[] = {0x10000, 5, 6};
    word size = 0, most = 0;
    EXPECT(told(memory, &size, &most) == 0x10000 && size == 5 && most == 6);
    return 0;
}

__attribute__((force_align_arg_pointer)) void _start(void) {
    long status = tried();
#if defined(__x86_64__)
    __asm__ volatile("syscall" : : "a"(231), "D"(status)); /* exit_group */
#else
    register long call __asm__("x8") = 94, argument __asm__("x0") = status;
    __asm__ volatile("svc 0" : : "r"(call), "r"(argument));
#endif
}
