/*
 * Result files: the log and the text of a run as \zmmtest\NNNN.log and NNNN.txt on the boot volume,
 * where it can be written (UEFI 2.10, 13.5). NNNN counts the runs of the volume. What is written is
 * only ever appended and flushed, so that a machine that loses power leaves what was there before.
 */
#include "../core/machine/clock.h"
#include "firmware.h"
#include "sinks.h"
#include <string.h>

#define FOLDER       L"\\zmmtest"
#define BUFFER_BYTES 131072u /* between two flushes: a burst of findings, or the report */
#define NAME_MAX     24u
#define NUMBER_MAX   99999999u

/* A folder has at most 2 MiB, and an entry 32 bytes (FAT specification 1.03, section 6). */
#define FOLDER_ENTRIES_MAX 65536u
#define TAIL_BYTES         512u /* of an earlier log: its last lines */

struct result_file {
    EFI_FILE_HANDLE handle; /* NULL: not open */
    size_t used;
    char buffer[BUFFER_BYTES]; /* not written yet */
};

static struct result_file log_file, text_file;
static struct volume_runs runs;
static char words[160]; /* what is to be told; "": nothing */
static bool lines_lost;

static void tell(const char *what, EFI_STATUS status)
{
    struct text text;
    text_start(&text, words, sizeof(words));
    text_add(&text, "No %sresult files on the boot volume: %s (%s)", runs.number ? "more " : "",
             what, status_name(status));
}

static void close_both(void)
{
    struct result_file *const files[] = {&log_file, &text_file};
    for (size_t n = 0; n < 2; n++) {
        if (files[n]->handle)
            (void)files[n]->handle->Close(files[n]->handle); /* it always succeeds */
        files[n]->handle = NULL;
        files[n]->used = 0;
    }
}

/* What is in the buffer, to the volume. After an error there are no more files. */
static void write_out(struct result_file *file)
{
    UINTN size = file->used;
    if (!file->handle || size == 0)
        return;
    uint64_t begun_at = clock_milliseconds();
    EFI_STATUS status = file->handle->Write(file->handle, &size, file->buffer);
    if (!EFI_ERROR(status) && size != file->used)
        status = EFI_VOLUME_FULL;
    file->used = 0;
    if (!EFI_ERROR(status))
        status = file->handle->Flush(file->handle);
    if (!EFI_ERROR(status))
        return;
    close_both();
    /* The boot vCPU waited meanwhile, and the keys with it. */
    char what[64];
    struct text text;
    text_start(&text, what, sizeof(what));
    text_add(&text, "writing failed after %lu ms", clock_milliseconds() - begun_at);
    tell(what, status);
}

static void append(struct result_file *file, const char *line)
{
    size_t length = strlen(line);
    if (!file->handle)
        return;
    /* Not written here: the firmware's disks may be busy, see disks_rest(). */
    if (length + 1 > sizeof(file->buffer) - file->used) {
        lines_lost = true;
        return;
    }
    memcpy(file->buffer + file->used, line, length);
    file->used += length;
    file->buffer[file->used++] = '\n';
}

static void append_log(const char *line)
{
    append(&log_file, line);
}

static void append_text(const char *line)
{
    append(&text_file, line);
}

static void flush_both(void)
{
    struct text text;
    write_out(&log_file);
    write_out(&text_file);
    if (!lines_lost || words[0])
        return;
    lines_lost = false;
    text_start(&text, words, sizeof(words));
    text_add(&text, "The result files lack lines: the boot volume was too busy to be written");
}

/* A FAT volume may give a name back in capitals. */
static bool is_extension(const CHAR16 *name, const CHAR16 extension[5])
{
    for (size_t n = 0; n < 5; n++)
        if ((name[n] >= L'A' && name[n] <= L'Z' ? name[n] | 0x20 : name[n]) != extension[n])
            return false;
    return true;
}

/* The number in "NNNN.log" or "NNNN.txt"; 0 for any other name. */
static uint32_t number_of(const CHAR16 *name)
{
    uint32_t number = 0;
    size_t n = 0;
    for (; name[n] >= L'0' && name[n] <= L'9' && n < 8; n++)
        number = number * 10 + (name[n] - L'0');
    return is_extension(name + n, L".log") || is_extension(name + n, L".txt") ? number : 0;
}

/* The highest number in the folder. */
static EFI_STATUS last_number(EFI_FILE_HANDLE folder, uint32_t *last)
{
    static _Alignas(8) uint8_t entry[sizeof(EFI_FILE_INFO) + 512];
    for (uint32_t entries = 0; entries < FOLDER_ENTRIES_MAX; entries++) {
        UINTN size = sizeof(entry);
        EFI_STATUS status = folder->Read(folder, &size, entry);
        if (EFI_ERROR(status) || size == 0)
            return status;
        uint32_t number = number_of(((EFI_FILE_INFO *)(void *)entry)->FileName);
        *last = number > *last ? number : *last;
    }
    return EFI_VOLUME_CORRUPTED;
}

static EFI_STATUS open_numbered(EFI_FILE_HANDLE folder, uint32_t number, const char *extension,
                                UINT64 mode, EFI_FILE_HANDLE *file)
{
    char name[NAME_MAX];
    CHAR16 wide[NAME_MAX];
    struct text text;
    text_start(&text, name, sizeof(name));
    text_add(&text, "%04u.%s", number, extension);
    for (size_t n = 0; n <= text.length; n++)
        wide[n] = (CHAR16)name[n];
    return folder->Open(folder, file, wide, mode, 0);
}

/* A run that came to its end says so in its last lines; one that said nothing had not begun. */
static bool has_end(EFI_FILE_HANDLE file)
{
    static const char end[] = " ev=done ";
    char tail[TAIL_BYTES];
    UINT64 bytes = 0;
    UINTN size = sizeof(tail);
    if (EFI_ERROR(file->SetPosition(file, UINT64_MAX)) ||
        EFI_ERROR(file->GetPosition(file, &bytes)) ||
        EFI_ERROR(file->SetPosition(file, bytes > size ? bytes - size : 0)) ||
        EFI_ERROR(file->Read(file, &size, tail)))
        return true; /* nothing is known of it */
    for (size_t n = 0; n + sizeof(end) - 1 <= size; n++)
        if (memcmp(tail + n, end, sizeof(end) - 1) == 0)
            return true;
    return bytes == 0;
}

static void look_at_last(EFI_FILE_HANDLE folder, uint32_t last)
{
    EFI_FILE_HANDLE file;
    if (last == 0 || EFI_ERROR(open_numbered(folder, last, "log", EFI_FILE_MODE_READ, &file)))
        return;
    runs.without_end = has_end(file) ? 0 : last;
    (void)file->Close(file);
}

static EFI_STATUS open_both(EFI_FILE_HANDLE folder, const char **what)
{
    const UINT64 anew = EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE | EFI_FILE_MODE_CREATE;
    uint32_t last = 0;
    EFI_STATUS status = last_number(folder, &last);
    if (EFI_ERROR(status))
        return status;
    if (last == NUMBER_MAX) {
        *what = "a file there has the last number, 99999999";
        return EFI_ACCESS_DENIED;
    }
    look_at_last(folder, last);
    status = open_numbered(folder, last + 1, "log", anew, &log_file.handle);
    if (!EFI_ERROR(status))
        status = open_numbered(folder, last + 1, "txt", anew, &text_file.handle);
    if (!EFI_ERROR(status)) {
        runs.number = last + 1;
    } else if (log_file.handle) {
        (void)log_file.handle->Delete(log_file.handle); /* it closes the handle in any case */
        log_file.handle = NULL;
    }
    return status;
}

static void open_files(void)
{
    const UINT64 or_make = EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE | EFI_FILE_MODE_CREATE;
    const char *what = "it cannot be written";
    EFI_FILE_HANDLE folder, root = open_boot_volume();
    if (!root) {
        tell("there is none", EFI_NOT_FOUND);
        return;
    }
    EFI_STATUS status = root->Open(root, &folder, FOLDER, or_make, EFI_FILE_DIRECTORY);
    (void)root->Close(root);
    if (!EFI_ERROR(status)) {
        status = open_both(folder, &what);
        (void)folder->Close(folder);
    }
    if (!EFI_ERROR(status))
        return;
    close_both();
    tell(what, status);
}

static const char *trouble(void)
{
    static char told[sizeof(words)];
    memcpy(told, words, sizeof(told));
    words[0] = '\0';
    return told[0] ? told : NULL;
}

struct sink *files_sink(void)
{
    static struct sink sink = {
        .log = append_log, .text = append_text, .flush = flush_both, .trouble = trouble};
    open_files();
    return &sink;
}

struct volume_runs files_runs(void)
{
    return runs;
}

void files_close(void)
{
    flush_both();
    close_both();
}
