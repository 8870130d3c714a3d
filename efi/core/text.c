/* Bounded text formatting, a small part of what printf does. */
#include "text.h"
#include <string.h>

void text_start(struct text *text, char *buffer, size_t size)
{
    *text = (struct text){.start = buffer, .size = size};
    buffer[0] = '\0';
}

static void add_char(struct text *text, char c)
{
    if (text->length + 1 >= text->size) {
        text->cut = true;
        return;
    }
    text->start[text->length++] = c;
    text->start[text->length] = '\0';
}

struct field {
    bool left, zeros;
    unsigned int width;
};

static void add_padded(struct text *text, const char *from, size_t length, struct field field)
{
    size_t padding = field.width > length ? field.width - length : 0;
    for (size_t n = 0; n < padding && !field.left; n++)
        add_char(text, field.zeros ? '0' : ' ');
    for (size_t n = 0; n < length; n++)
        add_char(text, from[n]);
    for (size_t n = 0; n < padding && field.left; n++)
        add_char(text, ' ');
}

static void add_number(struct text *text, uint64_t value, unsigned int base, struct field field)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    add_padded(text, digits + at, sizeof(digits) - at, field);
}

static void add_string(struct text *text, const char *string, struct field field)
{
    size_t length = 0;
    while (string[length])
        length++;
    add_padded(text, string, length, field);
}

static const char *read_field(const char *format, struct field *field)
{
    *field = (struct field){0};
    for (; *format == '-' || *format == '0'; format++) {
        field->left |= *format == '-';
        field->zeros |= *format == '0';
    }
    for (; *format >= '0' && *format <= '9'; format++)
        field->width = field->width * 10 + (unsigned int)(*format - '0');
    return format;
}

/* The list is begun by the caller, which the analyzer does not see through the pointer. */
// NOLINTBEGIN(clang-analyzer-valist.Uninitialized)
static void add_conversion(struct text *text, char conversion, bool is_long, struct field field,
                           va_list *arguments)
{
    if (conversion == 'u' || conversion == 'x') {
        uint64_t value =
            is_long ? va_arg(*arguments, unsigned long) : va_arg(*arguments, unsigned int);
        add_number(text, value, conversion == 'u' ? 10 : 16, field);
    } else if (conversion == 's') {
        add_string(text, va_arg(*arguments, const char *), field);
    } else if (conversion == 'c') {
        char c = (char)va_arg(*arguments, int);
        add_padded(text, &c, 1, field);
    } else {
        add_char(text, conversion);
    }
}
// NOLINTEND(clang-analyzer-valist.Uninitialized)

void text_add_list(struct text *text, const char *format, va_list arguments)
{
    va_list rest;
    va_copy(rest, arguments);
    for (; *format; format++) {
        if (*format != '%') {
            add_char(text, *format);
            continue;
        }
        struct field field;
        format = read_field(format + 1, &field);
        bool is_long = *format == 'l';
        format += is_long;
        if (*format == '\0')
            break;
        add_conversion(text, *format, is_long, field, &rest);
    }
    va_end(rest);
}

void text_add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_add_list(text, format, arguments);
    va_end(arguments);
}

void text_add_names(struct text *text, const char *list, size_t room)
{
    size_t end, tail = strlen(", 999 more");
    uint32_t more = 0;
    if (strlen(list) <= room) {
        text_add(text, "%s", list);
        return;
    }
    for (end = room > tail ? room - tail : 0; end > 0 && list[end] != ',';)
        end--;
    for (size_t n = 0; n < end; n++)
        add_char(text, list[n]);
    for (const char *rest = list + end; *rest; rest++)
        more += *rest == ',';
    text_add(text, end ? ", %u more" : "%u names", end ? more : more + 1);
}

void text_add_ranges(struct text *text, const char *name, uint64_t mask)
{
    bool first = true;
    for (unsigned int bit = 0; bit < 64; bit++) {
        if (!(mask >> bit & 1))
            continue;
        unsigned int last = bit;
        while (last < 63 && mask >> (last + 1) & 1)
            last++;
        text_add(text, "%s%s%u", first ? "" : ",", name, bit);
        if (last != bit)
            text_add(text, "-%u", last);
        first = false;
        bit = last;
    }
}

static unsigned int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned int)(c - '0');
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (unsigned int)((c | 0x20) - 'a') + 10;
    return 99;
}

bool text_to_number(const char *text, size_t length, unsigned int base, uint64_t *value)
{
    if (base == 16 && length > 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
        text += 2;
        length -= 2;
    }
    uint64_t result = 0;
    for (size_t n = 0; n < length; n++) {
        unsigned int digit = digit_value(text[n]);
        if (digit >= base || result > (UINT64_MAX - digit) / base)
            return false;
        result = result * base + digit;
    }
    *value = result;
    return length > 0;
}

size_t text_break(const char *text, size_t columns)
{
    size_t length = strlen(text);
    if (length <= columns)
        return length;
    for (size_t n = columns; n > 0; n--)
        if (text[n] == ' ')
            return n;
    for (size_t n = columns; n > 0; n--)
        if (text[n - 1] == ',')
            return n;
    return columns;
}
