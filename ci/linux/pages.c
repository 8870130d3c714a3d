/* Memory from the kernel. */
#include "../../efi/platform/pages.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Of what the kernel calls available: the other programs of this machine need memory too. */
#define SHARE_OF_AVAILABLE 4u

void *pages_allocate(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* In small pages: of a huge one, only the first store would be to memory that is not there yet. */
void *pages_allocate_some(size_t *size, size_t least)
{
    void *memory = NULL;
    for (; *size >= least; *size = *size / 2 / PAGE_BYTES * PAGE_BYTES) {
        memory = pages_allocate(*size);
        if (memory)
            break;
    }
    if (memory)
        (void)madvise(memory, *size, MADV_NOHUGEPAGE); /* a kernel without them refuses: as well */
    else
        *size = 0;
    return memory;
}

void pages_give_back(void *memory, size_t size)
{
    if (memory && size)
        (void)munmap(memory, size); /* fails only for what is not a mapping of ours */
}

/* The number behind a key at the start of a line of a file; UINT64_MAX: there is none. */
static uint64_t number_in(const char *path, const char *key)
{
    char line[128], *end;
    uint64_t number = UINT64_MAX;
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        uint64_t value = strtoull(line + strlen(key), &end, 10);
        if (end != line + strlen(key))
            number = value;
    }
    if (file)
        (void)fclose(file);
    return number;
}

/* What a container may have is the less, where it says so (cgroups(7), memory.max). */
uint64_t pages_free_bytes(void)
{
    uint64_t kibibytes = number_in("/proc/meminfo", "MemAvailable:");
    uint64_t available = kibibytes == UINT64_MAX ? 0 : kibibytes * 1024;
    uint64_t most = number_in("/sys/fs/cgroup/memory.max", "");
    return (available < most ? available : most) / SHARE_OF_AVAILABLE;
}
