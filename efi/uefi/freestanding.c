/*
 * The functions that the compiler itself calls, and the few of string.h that zmmtest uses. REP MOVS
 * and REP STOS: no vector register, and fast on every processor that has AVX-512.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *start = to;
    size_t words = size / 8, rest = size % 8;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest)::"memory");
    return start;
}

void *memset(void *to, int value, size_t size)
{
    void *start = to;
    size_t words = size / 8, rest = size % 8;
    uint64_t filler = (unsigned char)value * UINT64_C(0x0101010101010101);
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(filler) : "memory");
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(filler) : "memory");
    return start;
}

void *memmove(void *to, const void *from, size_t size)
{
    unsigned char *target = to;
    const unsigned char *source = from;
    if (target <= source || target >= source + size)
        return memcpy(to, from, size);
    while (size-- > 0)
        target[size] = source[size];
    return to;
}

/* What is equal, eight bytes at a time: each line of a copy passes through here (window/memory.c).
 */
int memcmp(const void *left, const void *right, size_t size)
{
    const unsigned char *a = left, *b = right;
    for (uint64_t one, other; size >= sizeof(one); a += sizeof(one), b += sizeof(one)) {
        __builtin_memcpy(&one, a, sizeof(one));
        __builtin_memcpy(&other, b, sizeof(other));
        if (one != other)
            break;
        size -= sizeof(one);
    }
    for (; size > 0; a++, b++, size--)
        if (*a != *b)
            return *a - *b;
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

int strcmp(const char *left, const char *right)
{
    while (*left && *left == *right) {
        left++;
        right++;
    }
    return (unsigned char)*left - (unsigned char)*right;
}
