/* Memory from the kernel. */
#include "../../../efi/pages.h"
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

uint64_t pages_free_bytes(void)
{
    static const char key[] = "MemAvailable:";
    char line[128];
    uint64_t kibibytes = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, key, strlen(key)) == 0)
            kibibytes = strtoul(line + strlen(key), NULL, 10);
    if (file)
        (void)fclose(file);
    return kibibytes * 1024 / SHARE_OF_AVAILABLE;
}
