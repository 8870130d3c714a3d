/*
 * Disk reads of a process: a thread for each disk that reads past the kernel's page cache, so that
 * the storage beneath has to work while the windows hold. Nothing is ever written.
 */
#include "../../efi/platform/disks.h"
#include "../../efi/core/report/events.h"
#include "../../efi/core/text.h"
#include "../../efi/platform/pages.h"
#include "process.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define DISKS_MAX      16u
#define READ_BYTES     (UINT64_C(1) << 20)
#define BLOCK_BYTES    512u /* in which sizes are told */
#define ANSWER_SECONDS 10

struct disk {
    char path[64];
    int file;
    uint64_t size; /* bytes */
    uint8_t *buffer;
    pthread_t reader;
    _Atomic uint64_t reads, bytes;
    _Atomic int error; /* errno that ended it; 0: none */
    bool told, stuck;
};

static struct {
    struct disk disk[DISKS_MAX];
    uint32_t count;
    struct disk_activity activity;
    _Atomic uint32_t left; /* disks whose reader has not ended */
    atomic_bool stop;
} disks;

static ssize_t read_next(struct disk *disk, uint64_t at)
{
    atomic_fetch_add(&disks.activity.in_flight, 1);
    ssize_t bytes = pread(disk->file, disk->buffer, READ_BYTES, (off_t)at);
    atomic_fetch_sub(&disks.activity.in_flight, 1);
    return bytes;
}

static void reader_ended(void)
{
    if (atomic_fetch_sub(&disks.left, 1) == 1)
        atomic_store(&disks.activity.over, true);
}

static void *read_on(void *argument)
{
    struct disk *disk = argument;
    uint64_t at = 0;
    while (!atomic_load(&disks.stop)) {
        ssize_t bytes = read_next(disk, at);
        if (bytes == 0 && at > 0) {
            at = 0;
            continue;
        }
        if (bytes <= 0) {
            atomic_store(&disk->error, bytes < 0 ? errno : EIO);
            break;
        }
        atomic_fetch_add(&disk->reads, 1);
        atomic_fetch_add(&disk->bytes, (uint64_t)bytes);
        /* A direct read is not shortened but by the end. */
        at = (uint64_t)bytes < READ_BYTES ? 0 : at + READ_BYTES;
    }
    reader_ended();
    return NULL;
}

/* False: this process may not read it, or there is nothing in it, or not past the page cache. */
static bool open_disk(const char *path)
{
    if (disks.count == DISKS_MAX)
        return false;
    struct disk *disk = &disks.disk[disks.count];
    struct text text;
    disk->file = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (disk->file < 0)
        return false;
    off_t size = lseek(disk->file, 0, SEEK_END);
    disk->buffer = size > 0 ? pages_allocate(READ_BYTES) : NULL;
    if (!disk->buffer || pread(disk->file, disk->buffer, READ_BYTES, 0) <= 0) {
        pages_give_back(disk->buffer, READ_BYTES);
        (void)close(disk->file);
        return false;
    }
    disk->size = (uint64_t)size;
    text_start(&text, disk->path, sizeof(disk->path));
    text_add(&text, "%s", path);
    disks.count++;
    return true;
}

/* The device of the file system that this program is on, or else the file of the program. */
static void open_own_disk(void)
{
    static const char program[] = "/proc/self/exe";
    char link[48], device[256], path[64];
    struct stat status = {0};
    struct text text;
    (void)stat(program, &status); /* 0:0 is no device either */
    text_start(&text, link, sizeof(link));
    text_add(&text, "/sys/dev/block/%u:%u", major(status.st_dev), minor(status.st_dev));
    ssize_t length = readlink(link, device, sizeof(device) - 1);
    device[length < 0 ? 0 : length] = '\0';
    const char *name = strrchr(device, '/');
    text_start(&text, path, sizeof(path));
    text_add(&text, "/dev%s", name ? name : "");
    if (!open_disk(path))
        (void)open_disk(program);
}

/* Those with a device behind them: not loops, not memory. */
static void open_all(void)
{
    DIR *folder = opendir("/sys/block");
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)) != NULL) {
        char path[64];
        struct text text;
        text_start(&text, path, sizeof(path));
        text_add(&text, "/sys/block/%s/device", entry->d_name);
        if (entry->d_name[0] == '.' || access(path, F_OK) != 0)
            continue;
        text_start(&text, path, sizeof(path));
        text_add(&text, "/dev/%s", entry->d_name);
        (void)open_disk(path);
    }
    if (folder)
        (void)closedir(folder);
}

static void drop_last(void)
{
    struct disk *disk = &disks.disk[--disks.count];
    pages_give_back(disk->buffer, READ_BYTES);
    (void)close(disk->file);
}

/* On all CPUs of the process, not only that of this thread. From one that cannot be started on:
 * none. */
static void start_readers(void)
{
    pthread_attr_t attributes;
    uint32_t started = 0;
    bool good = pthread_attr_init(&attributes) == 0;
    if (!good)
        return;
    process_use_all_cpus(&attributes);
    atomic_store(&disks.left, disks.count);
    while (good && started < disks.count) {
        struct disk *disk = &disks.disk[started];
        good = pthread_create(&disk->reader, &attributes, read_on, disk) == 0;
        started += good;
    }
    while (disks.count > started) {
        reader_ended();
        drop_last();
    }
    (void)pthread_attr_destroy(&attributes);
}

const char *disks_find(bool all)
{
    if (all)
        open_all();
    else
        open_own_disk();
    disks.activity.unattended = true;
    start_readers();
    if (disks.count)
        return NULL;
    return all ? "this process may read no disk"
               : "neither the disk nor the file of this program can be read directly";
}

const struct disk_activity *disks_activity(void)
{
    return &disks.activity;
}

bool disks_poll(void)
{
    for (uint32_t n = 0; n < disks.count; n++) {
        struct disk *disk = &disks.disk[n];
        int error = atomic_load(&disk->error);
        char buffer[160];
        struct text text;
        if (!error || disk->told)
            continue;
        disk->told = true;
        text_start(&text, buffer, sizeof(buffer));
        text_add(&text, "disk %u (%s): a read failed (%s): it is not read any more", n, disk->path,
                 strerror(error));
        event_notice(buffer);
    }
    return false;
}

/* The files of a process are written by its kernel, whatever else it reads. */
bool disks_rest(void)
{
    return true;
}

bool disks_stop(void)
{
    bool all = true;
    struct timespec until = {0};
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ANSWER_SECONDS;
    atomic_store(&disks.stop, true);
    for (uint32_t n = 0; n < disks.count; n++) {
        struct disk *disk = &disks.disk[n];
        disk->stuck = pthread_timedjoin_np(disk->reader, NULL, &until) != 0;
        all &= !disk->stuck;
    }
    return all;
}

bool disks_result(uint32_t number, struct disk_result *result)
{
    struct disk *disk = &disks.disk[number];
    if (number >= disks.count)
        return false;
    *result = (struct disk_result){
        .block_bytes = BLOCK_BYTES,
        .blocks = disk->size / BLOCK_BYTES,
        .by = "direct-io",
        .failed = atomic_load(&disk->error) != 0 || disk->stuck,
        .reads = atomic_load(&disk->reads),
        .bytes = atomic_load(&disk->bytes),
    };
    return true;
}

void disks_free(void)
{
    while (disks.count > 0)
        drop_last();
}
