/* Tables are what firmware and hypervisor made up: no address, length or string is trusted. */
#include "smbios.h"
#include <string.h>

/* 5.2.1 and 5.2.2: the entry points. */
#define ANCHOR_32       "_SM_"
#define BYTES_32        31u
#define TABLE_LENGTH_32 22u /* 2 bytes */
#define TABLE_32        24u /* 4 bytes */
#define ANCHOR_64       "_SM3_"
#define BYTES_64        24u
#define TABLE_LENGTH_64 12u /* 4 bytes: the most that it may be */
#define TABLE_64        16u /* 8 bytes */

#define TABLE_LENGTH_MAX 65536u

/* 6.1: each structure begins with type, length of its fields, handle; its strings follow. */
#define STRUCTURE_HEADER 4u
#define TYPE_FIRMWARE    0u
#define TYPE_SYSTEM      1u
#define TYPE_END         127u

struct table {
    const uint8_t *start;
    uint32_t length;
};

static const uint8_t *at(uint64_t address)
{
    return (const uint8_t *)address; // NOLINT(performance-no-int-to-ptr)
}

/* Its length is cut to what can be looked through; 0: there is no table that can be read. */
static struct table find_table(uint64_t entry_point, acpi_readable *readable)
{
    uint64_t address = 0;
    uint32_t length = 0;
    if (!entry_point || !readable(entry_point, BYTES_64))
        return (struct table){0};
    const uint8_t *entry = at(entry_point);
    if (memcmp(entry, ANCHOR_64, strlen(ANCHOR_64)) == 0) {
        memcpy(&length, entry + TABLE_LENGTH_64, 4);
        memcpy(&address, entry + TABLE_64, 8);
    } else if (memcmp(entry, ANCHOR_32, strlen(ANCHOR_32)) == 0 &&
               readable(entry_point, BYTES_32)) {
        memcpy(&length, entry + TABLE_LENGTH_32, 2);
        memcpy(&address, entry + TABLE_32, 4);
    }
    length = length < TABLE_LENGTH_MAX ? length : TABLE_LENGTH_MAX;
    if (!address || !length || !readable(address, length))
        return (struct table){0};
    return (struct table){at(address), length};
}

/* The length of the text at `offset`, without its end; to the end of the table where it has none.
 */
static uint32_t length_at(const struct table *table, uint32_t offset)
{
    uint32_t length = 0;
    while (offset + length < table->length && table->start[offset + length])
        length++;
    return length;
}

/* 6.1.3: string `number` of those that begin at `offset`, counted from 1; they end with an empty
 * one. */
static void copy_string(const struct table *table, uint32_t offset, uint8_t number,
                        char to[SMBIOS_TEXT])
{
    uint32_t length = length_at(table, offset);
    for (; number > 1 && length; number--) {
        offset += length + 1;
        length = length_at(table, offset);
    }
    if (number == 0)
        return;
    length = length < SMBIOS_TEXT ? length : SMBIOS_TEXT - 1;
    memcpy(to, table->start + offset, length);
    to[length] = '\0';
}

/* Behind the strings of a structure, which are two zeros where there are none. */
static uint32_t behind_strings(const struct table *table, uint32_t offset)
{
    while (offset + 1 < table->length && (table->start[offset] || table->start[offset + 1]))
        offset++;
    return offset + 2;
}

/* The string that a field of one byte names. */
static void read_field(const struct table *table, uint32_t structure, uint32_t field,
                       char to[SMBIOS_TEXT])
{
    uint32_t fields = table->start[structure + 1];
    if (field < fields)
        copy_string(table, structure + fields, table->start[structure + field], to);
}

void smbios_read(struct smbios *smbios, uint64_t entry_point, acpi_readable *readable)
{
    struct table table = find_table(entry_point, readable);
    memset(smbios, 0, sizeof(*smbios));
    for (uint32_t offset = 0; offset + STRUCTURE_HEADER <= table.length;) {
        uint8_t type = table.start[offset];
        uint32_t fields = table.start[offset + 1];
        if (type == TYPE_END || fields < STRUCTURE_HEADER || fields > table.length - offset)
            return;
        if (type == TYPE_FIRMWARE) {
            read_field(&table, offset, 4, smbios->firmware_vendor);
        } else if (type == TYPE_SYSTEM) {
            read_field(&table, offset, 4, smbios->manufacturer);
            read_field(&table, offset, 5, smbios->product);
        }
        offset = behind_strings(&table, offset + fields);
    }
}
