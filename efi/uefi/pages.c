/* Asks the firmware for memory, in whole pages. */
#include "../platform/pages.h"
#include "firmware.h"
#include <string.h>

static size_t pages_of(size_t size)
{
    return (size + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* Whole pages, not touched; NULL if there are not that many in a row. */
static void *allocate(size_t size)
{
    EFI_PHYSICAL_ADDRESS address = 0;
    EFI_STATUS status = system_table->BootServices->AllocatePages(AllocateAnyPages, EfiLoaderData,
                                                                  pages_of(size), &address);
    return EFI_ERROR(status) ? NULL : (void *)address; // NOLINT(performance-no-int-to-ptr)
}

void *pages_allocate(size_t size)
{
    void *memory = allocate(size);
    if (memory)
        memset(memory, 0, size);
    return memory;
}

/* A failure could only mean that these are not our pages: then there is nothing to give back. */
void pages_give_back(void *memory, size_t size)
{
    if (memory && size)
        (void)system_table->BootServices->FreePages((EFI_PHYSICAL_ADDRESS)memory, pages_of(size));
}

uint64_t pages_free_bytes(void)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    UINTN size = 0, key, step;
    UINT32 version;
    uint8_t *map = NULL;
    uint64_t bytes = 0;
    (void)boot->GetMemoryMap(&size, NULL, &key, &step, &version);
    size += 4096; /* allocating the map may split a range */
    if (EFI_ERROR(boot->AllocatePool(EfiLoaderData, size, (void **)&map)))
        return 0;
    if (!EFI_ERROR(boot->GetMemoryMap(&size, (void *)map, &key, &step, &version))) {
        for (UINTN at = 0; at + step <= size; at += step) {
            const EFI_MEMORY_DESCRIPTOR *range = (const void *)(map + at);
            if (range->Type == EfiConventionalMemory)
                bytes += range->NumberOfPages * PAGE_BYTES;
        }
    }
    (void)boot->FreePool(map);
    return bytes;
}

void *pages_allocate_some(size_t *size, size_t least)
{
    for (; *size >= least; *size = *size / 2 / PAGE_BYTES * PAGE_BYTES) {
        void *memory = allocate(*size);
        if (memory)
            return memory;
    }
    *size = 0;
    return NULL;
}
