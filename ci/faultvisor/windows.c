/*
 * Reads the windows out of zmmtest's PE image. The section .windows holds one struct window each
 * (efi/core/window/state.h). Its addresses count from the start of the image until zmmtest runs:
 * the linker puts them so, and _relocate of gnu-efi adds the image's address to what it finds.
 */
#include "windows.h"
#include "../../efi/core/window/state.h"
#include "say.h"
#include <string.h>

#define CODE_MAX (256u * 1024)

/* Of the code of the windows: where it is, and whose event each byte of it belongs to. */
static uint64_t code_start;
static uint32_t code_size;
static uint8_t kind_of_byte[CODE_MAX]; /* and BY_XSAVE, OF_EXIT */

#define BY_XSAVE 0x80u
#define OF_EXIT  0x40u /* of an exit of zmmtest's, of whatever kind */
_Static_assert(EXIT_KIND_NONE < OF_EXIT, "a kind and both of these are a byte");

struct section {
    uint32_t size, address; /* from the start of the image */
};

/* By the section table (PE format, "Section Table"): VirtualSize and VirtualAddress. */
static struct section find_section(const uint8_t *image, const char name[8])
{
    struct section section;
    uint32_t header;
    uint16_t sections, optional;
    memcpy(&header, image + 0x3c, 4);
    memcpy(&sections, image + header + 6, 2);
    memcpy(&optional, image + header + 20, 2);
    const uint8_t *row = image + header + 24 + optional;
    for (uint16_t n = 0; n < sections; n++, row += 40) {
        if (memcmp(row, name, 8) == 0) {
            memcpy(&section, row + 8, sizeof(section));
            return section;
        }
    }
    give_up("zmmtest.efi has no section %s", name);
}

/* All of them. */
static const struct window *list_windows(const uint8_t *image, uint32_t *count)
{
    struct section list = find_section(image, ".windows");
    *count = list.size / sizeof(struct window);
    return (const void *)(image + list.address);
}

static const struct window *find_window(const uint8_t *image, const char *name)
{
    uint32_t count;
    const struct window *window = list_windows(image, &count);
    for (uint32_t n = 0; n < count; n++)
        if (strcmp(window[n].name, name) == 0)
            return &window[n];
    give_up("zmmtest.efi has no window %s", name);
}

/* No exit has these: zmmtest plants faults of its own in them, or nothing. */
static bool is_of_exit(const struct window *window)
{
    return strcmp(window->name, "bare") != 0 && strcmp(window->name, "plant") != 0 &&
           strcmp(window->name, "plant_fault") != 0;
}

static void note_events(const struct window *window, struct section code, enum exit_kind kind)
{
    for (unsigned int form = 0; form <= FORM_XSAVE; form++) {
        uint64_t start = window->form[form].event - code.address;
        uint64_t end = window->form[form].event_end - code.address;
        if (start >= end || end > code.size)
            give_up("zmmtest.efi has window %s outside of its section .window", window->name);
        uint32_t byte = kind | (form == FORM_XSAVE ? BY_XSAVE : 0) | OF_EXIT;
        memset(kind_of_byte + start, (int)byte, end - start);
    }
}

void windows_find(const uint8_t *image)
{
    struct section code = find_section(image, ".window\0");
    if (code.size > CODE_MAX)
        give_up("zmmtest.efi has windows of %u bytes, more than %u", code.size, CODE_MAX);
    code_start = (uint64_t)image + code.address;
    code_size = code.size;
    memset(kind_of_byte, EXIT_KIND_NONE, sizeof(kind_of_byte));
    uint32_t count;
    const struct window *window = list_windows(image, &count);
    for (uint32_t n = 0; n < count; n++)
        if (is_of_exit(&window[n]))
            note_events(&window[n], code, EXIT_KIND_NONE);
    for (enum exit_kind kind = 0; kind < EXIT_KIND_COUNT; kind++)
        for (uint32_t n = 0; n < EXIT_KIND_WINDOWS && exit_kinds[kind].windows[n]; n++)
            note_events(find_window(image, exit_kinds[kind].windows[n]), code, kind);
}

enum exit_kind windows_kind_at(uint64_t rip)
{
    return rip - code_start < code_size ? kind_of_byte[rip - code_start] & ~(BY_XSAVE | OF_EXIT)
                                        : EXIT_KIND_NONE;
}

bool windows_by_xsave_at(uint64_t rip)
{
    return rip - code_start < code_size && kind_of_byte[rip - code_start] & BY_XSAVE;
}

bool windows_exit_at(uint64_t rip)
{
    return rip - code_start < code_size && kind_of_byte[rip - code_start] & OF_EXIT;
}
