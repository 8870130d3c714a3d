/*
 * Starts zmmtest over faultvisor, once for each line of \faultvisor.conf:
 *
 *     fault=NAME every=N after=M on=EXITS pose=vmware -- OPTIONS OF ZMMTEST
 *     fault=NAME every=Nms, migrate=N, hang=N, apic=x2apic, console=none, rpci=HOW,
 *     guestinfo="OPTIONS", cpuid=LEAF.SUBLEAF:REGISTER=VALUE: see ci/README.md
 *
 * All of it is optional: no fault, every 5th exit from the first on, all kinds of exits, a
 * signature of its own. zmmtest's options begin with end=exit. After the last line the machine
 * is powered off, unless `keep` stands alone in a line.
 */
#include "../../efi/core/text.h"
#include "../../efi/core/word.h"
#include "../../efi/platform/instructions.h"
#include "../../efi/uefi/firmware.h"
#include "../../efi/uefi/mp_services.h"
#include "faults.h"
#include "launch.h"
#include "plan.h"
#include "say.h"
#include "trigger.h"
#include "vmware.h"
#include "vmx.h"
#include "windows.h"
#include <string.h>

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

#define CONF_MAX    32768u
#define PROGRAM_MAX (512u * 1024)
#define LINE_MAX    300u

/* --- other vCPUs -------------------------------------------------------------------------------
 */

static EFI_MP_SERVICES_PROTOCOL *services;
static EFI_STATUS(EFIAPI *firmware_start)(EFI_MP_SERVICES_PROTOCOL *, EFI_AP_PROCEDURE, UINTN,
                                          EFI_EVENT, UINTN, VOID *, BOOLEAN *);

static struct {
    EFI_AP_PROCEDURE procedure;
    void *argument;
    struct host_cpu *cpu;
} asked[HOST_CPUS];

/* It stays on: the way back leads over a local APIC that is off and has forgotten all. */
static void turn_x2apic_on(void)
{
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
}

/*
 * On the other vCPU: the procedure runs as faultvisor's guest, and VMX is off again before the
 * firmware gets the vCPU back, since the next start sends it an INIT.
 */
static void EFIAPI run_as_guest(void *which)
{
    size_t n = (size_t)which;
    const char *reason;
    if (!faultvisor_launch(asked[n].cpu, &reason))
        give_up("vCPU %lu: %s", n, reason);
    if (plan.x2apic)
        turn_x2apic_on();
    asked[n].procedure(asked[n].argument);
    faultvisor_leave();
}

/* In the place of the firmware's StartupThisAP. */
static EFI_STATUS EFIAPI start_as_guest(EFI_MP_SERVICES_PROTOCOL *this, EFI_AP_PROCEDURE procedure,
                                        UINTN number, EFI_EVENT event, UINTN timeout,
                                        VOID *argument, BOOLEAN *finished)
{
    if (number >= cpu_count || !cpus[number])
        return EFI_NOT_FOUND;
    asked[number].procedure = procedure;
    asked[number].argument = argument;
    asked[number].cpu = cpus[number];
    return firmware_start(this, run_as_guest, number, event, timeout,
                          (void *)number, // NOLINT(performance-no-int-to-ptr)
                          finished);
}

static struct host_cpu *new_cpu(uint32_t number)
{
    EFI_PHYSICAL_ADDRESS address = 0;
    UINTN pages = (sizeof(struct host_cpu) + PAGE - 1) / PAGE;
    EFI_STATUS status =
        system_table->BootServices->AllocatePages(AllocateAnyPages, EfiLoaderData, pages, &address);
    if (EFI_ERROR(status))
        give_up("no memory for vCPU %u", number);
    struct host_cpu *cpu = (struct host_cpu *)address; // NOLINT(performance-no-int-to-ptr)
    memset(cpu, 0, pages * PAGE);
    cpu->number = number;
    cpu->random = number + 1;
    return cpu;
}

/* Where there are no MP services there is one vCPU, and nothing to hook. */
static uint32_t find_cpus(void)
{
    EFI_GUID guid = EFI_MP_SERVICES_PROTOCOL_GUID;
    UINTN count = 1, enabled, boot = 0;
    if (!EFI_ERROR(system_table->BootServices->LocateProtocol(&guid, NULL, (void **)&services)) &&
        !EFI_ERROR(services->GetNumberOfProcessors(services, &count, &enabled)) &&
        !EFI_ERROR(services->WhoAmI(services, &boot))) {
        firmware_start = services->StartupThisAP;
        services->StartupThisAP = start_as_guest;
    }
    cpu_count = count < HOST_CPUS ? (uint32_t)count : HOST_CPUS;
    for (uint32_t n = 0; n < cpu_count; n++)
        cpus[n] = new_cpu(n);
    return (uint32_t)boot;
}

/* --- files --------------------------------------------------------------------------------------
 */

static char conf[CONF_MAX + 1];
static char program[PROGRAM_MAX];

static size_t read_file(CHAR16 *name, char *to, size_t room)
{
    EFI_GUID image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_GUID volume_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    EFI_LOADED_IMAGE *image;
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume;
    EFI_FILE_HANDLE root, file;
    UINTN size = room;
    EFI_STATUS status = boot->HandleProtocol(image_handle, &image_guid, (void **)&image);
    if (!EFI_ERROR(status))
        status = boot->HandleProtocol(image->DeviceHandle, &volume_guid, (void **)&volume);
    if (!EFI_ERROR(status))
        status = volume->OpenVolume(volume, &root);
    if (EFI_ERROR(status))
        return 0;
    status = root->Open(root, &file, name, EFI_FILE_MODE_READ, 0);
    if (!EFI_ERROR(status)) {
        status = file->Read(file, &size, to);
        (void)file->Close(file);
    }
    (void)root->Close(root);
    return EFI_ERROR(status) ? 0 : size;
}

/* --- runs ---------------------------------------------------------------------------------------
 */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Between double quotes blanks are part of the word, as are the quotes. */
static bool next_word(const char **at, const char *end, struct word *word)
{
    bool quoted = false;
    while (*at < end && is_blank(**at))
        (*at)++;
    word->start = *at;
    for (; *at < end && (quoted || !is_blank(**at)); (*at)++)
        quoted ^= **at == '"';
    word->length = (size_t)(*at - word->start);
    return word->length > 0;
}

static bool takes(struct word word, const char *key, struct word *value)
{
    size_t length = strlen(key);
    if (word.length <= length || memcmp(word.start, key, length) != 0)
        return false;
    *value = (struct word){word.start + length, word.length - length};
    return true;
}

static void list_faults(struct text *text)
{
    text_add(text, "none");
    for (uint32_t n = 0; n < fault_count; n++)
        text_add(text, ", %s", faults[n].name);
}

static void list_kinds(struct text *text)
{
    for (enum exit_kind kind = 0; kind < EXIT_KIND_COUNT; kind++)
        text_add(text, "%s%s", kind ? ", " : "", exit_kinds[kind].name);
}

static bool set_kinds(struct word list)
{
    plan.kinds = 0;
    while (list.length > 0) {
        struct word name = word_cut(&list, ',');
        enum exit_kind kind = 0;
        while (kind < EXIT_KIND_COUNT && !word_is(name, exit_kinds[kind].name))
            kind++;
        if (kind == EXIT_KIND_COUNT)
            return false;
        plan.kinds |= 1u << kind;
    }
    return true;
}

static const char *const rpci_names[] = {
    [POSE_ANSWERS] = "answer",  [POSE_REFUSES] = "refuse", [POSE_SILENT] = "silent",
    [POSE_ENDLESS] = "endless", [POSE_ABSENT] = "absent",  [POSE_CHECKPOINTS] = "checkpoints",
};

static bool set_rpci(struct word value, struct text *allowed)
{
    text_add(allowed, "rpci= takes ");
    for (enum pose rpci = 0; rpci < POSE_COUNT; rpci++) {
        text_add(allowed, "%s%s", rpci ? ", " : "", rpci_names[rpci]);
        plan.rpci = word_is(value, rpci_names[rpci]) ? rpci : plan.rpci;
    }
    return word_is(value, rpci_names[plan.rpci]);
}

static bool set_guestinfo(struct word value, struct text *allowed)
{
    text_add(allowed, "guestinfo= takes zmmtest's options in double quotes");
    if (value.length < 2 || *value.start != '"' || value.start[value.length - 1] != '"')
        return false;
    plan.guestinfo = value.start + 1;
    plan.guestinfo_bytes = value.length - 2;
    return true;
}

static bool hexadecimal(struct word word, uint32_t *number)
{
    uint64_t value;
    if (!text_to_number(word.start, word.length, 16, &value) || value > UINT32_MAX)
        return false;
    *number = (uint32_t)value;
    return true;
}

/* LEAF.SUBLEAF:REGISTER=VALUE, numbers in hexadecimal. */
static bool add_cpuid_lie(struct word value, struct text *allowed)
{
    static const char *const registers[] = {"eax", "ebx", "ecx", "edx"};
    struct cpuid_lie lie = {0};
    struct word leaf = word_cut(&value, '.'), subleaf = word_cut(&value, ':');
    struct word name = word_cut(&value, '=');
    text_add(allowed, "cpuid= takes LEAF.SUBLEAF:REGISTER=VALUE, at most %u times", CPUID_LIES);
    while (lie.reg < 4 && !word_is(name, registers[lie.reg]))
        lie.reg++;
    if (lie.reg == 4 || plan.lies == CPUID_LIES || !hexadecimal(leaf, &lie.leaf) ||
        !hexadecimal(subleaf, &lie.subleaf) || !hexadecimal(value, &lie.value))
        return false;
    plan.lie[plan.lies++] = lie;
    return true;
}

/* False: it is another key; *good: its value is a number. */
static bool set_disturbance(struct word word, bool *good)
{
    const struct {
        const char *key;
        uint64_t *number;
    } keys[] = {
        {"migrate=", &plan.migrate},   {"migrate-ms=", &plan.migrate_ms},
        {"tsc-back=", &plan.tsc_back}, {"tsc-back-ms=", &plan.tsc_back_ms},
        {"hang=", &plan.hang},         {"hang-ms=", &plan.hang_ms},
        {"hang-cpu=", &plan.hang_cpu},
    };
    struct word value;
    for (size_t n = 0; n < sizeof(keys) / sizeof(keys[0]); n++) {
        if (!takes(word, keys[n].key, &value))
            continue;
        *good = text_to_number(value.start, value.length, 10, keys[n].number);
        return true;
    }
    return false;
}

/* False: the word is wrong; *allowed then says what would be right. */
static bool set_option(struct word word, struct text *allowed)
{
    struct word value;
    bool good;
    if (takes(word, "fault=", &value)) {
        plan.fault = fault_find(value.start, value.length);
        if (plan.fault || word_is(value, "none"))
            return true;
        text_add(allowed, "fault= takes ");
        list_faults(allowed);
        return false;
    }
    if (takes(word, "every=", &value) && value.length > 2 &&
        word_is((struct word){value.start + value.length - 2, 2}, "ms"))
        return text_to_number(value.start, value.length - 2, 10, &plan.every_ms) && plan.every_ms;
    if (takes(word, "every=", &value) &&
        text_to_number(value.start, value.length, 10, &plan.every) && plan.every)
        return true;
    if (takes(word, "after=", &value))
        return text_to_number(value.start, value.length, 10, &plan.after);
    if (set_disturbance(word, &good))
        return good;
    if (takes(word, "cpuid=", &value))
        return add_cpuid_lie(value, allowed);
    if (takes(word, "apic=", &value) && word_is(value, "x2apic"))
        return plan.x2apic = true;
    if (takes(word, "console=", &value) && word_is(value, "none"))
        return plan.no_console = true;
    if (takes(word, "pose=", &value) && (word_is(value, "vmware") || word_is(value, "none"))) {
        plan.pose_vmware = word_is(value, "vmware");
        return true;
    }
    if (takes(word, "rpci=", &value))
        return set_rpci(value, allowed);
    if (takes(word, "guestinfo=", &value))
        return set_guestinfo(value, allowed);
    if (takes(word, "on=", &value)) {
        if (set_kinds(value))
            return true;
        text_add(allowed, "on= takes ");
        list_kinds(allowed);
        return false;
    }
    text_add(allowed,
             "options are fault=NAME, on=EXITS, every=N or Nms from 1, after=N, pose=vmware|none, "
             "migrate=N, migrate-ms=MS, tsc-back=N, tsc-back-ms=MS, hang=N, hang-ms=MS, "
             "hang-cpu=CPU, apic=x2apic, "
             "console=none, rpci=HOW, guestinfo=\"OPTIONS\"");
    return false;
}

/* The options of faultvisor in a line; *rest is what follows the "--". False: something is wrong.
 */
static bool parse_line(const char *line, const char *end, struct word *rest)
{
    struct word word;
    bool good = true;
    plan.fault = NULL;
    plan.kinds = (1u << EXIT_KIND_COUNT) - 1;
    plan.every = 5;
    plan.after = plan.every_ms = plan.migrate = plan.tsc_back = plan.hang = plan.hang_ms = 0;
    plan.hang_cpu = HANG_LAST;
    plan.migrate_ms = 5000;
    plan.tsc_back_ms = 131;
    plan.x2apic = plan.no_console = false;
    plan.lies = 0;
    plan.pose_vmware = false;
    plan.rpci = POSE_ANSWERS;
    plan.guestinfo = NULL;
    while (next_word(&line, end, &word) && !word_is(word, "--")) {
        char buffer[LINE_MAX], name[41];
        struct text allowed, text;
        text_start(&allowed, buffer, sizeof(buffer));
        text_start(&text, name, sizeof(name));
        if (set_option(word, &allowed))
            continue;
        for (size_t n = 0; n < word.length; n++)
            text_add(&text, "%c", word.start[n]);
        say("faultvisor ev=error reason=\"%s is not allowed: %s\"", name, buffer);
        good = false;
    }
    *rest = (struct word){line, (size_t)(end - line)};
    return good;
}

/* zmmtest wants its options in UCS-2. */
static UINTN make_load_options(CHAR16 *to, UINTN room, struct word options)
{
    static const char first[] = "end=exit ";
    UINTN length = 0;
    for (; first[length]; length++)
        to[length] = (CHAR16)first[length];
    for (size_t n = 0; n < options.length && length + 1 < room; n++)
        to[length++] = (CHAR16)options.start[n];
    to[length++] = 0;
    return length * sizeof(CHAR16);
}

/*
 * A machine without a console (UEFI 2.10, 4.3: the handles and protocols may be missing). The
 * firmware sends each character of one to COM1 by 1,800 instructions, and most of a report is text.
 */
static EFI_STATUS start_without_console(EFI_HANDLE handle)
{
    EFI_SYSTEM_TABLE *table = system_table, before = *table;
    table->ConsoleInHandle = table->ConsoleOutHandle = table->StandardErrorHandle = NULL;
    table->ConIn = NULL;
    table->ConOut = table->StdErr = NULL;
    EFI_STATUS status = table->BootServices->StartImage(handle, NULL, NULL);
    table->ConsoleInHandle = before.ConsoleInHandle;
    table->ConsoleOutHandle = before.ConsoleOutHandle;
    table->StandardErrorHandle = before.StandardErrorHandle;
    table->ConIn = before.ConIn;
    table->ConOut = before.ConOut;
    table->StdErr = before.StdErr;
    return status;
}

static void run_zmmtest(size_t program_size, struct word options)
{
    static CHAR16 load_options[512];
    EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    EFI_LOADED_IMAGE *image;
    EFI_HANDLE handle = NULL;
    EFI_STATUS status = boot->LoadImage(FALSE, image_handle, NULL, program, program_size, &handle);
    if (!EFI_ERROR(status))
        status = boot->HandleProtocol(handle, &guid, (void **)&image);
    if (EFI_ERROR(status))
        give_up("zmmtest.efi cannot be loaded: %s", status_name(status));
    image->LoadOptions = load_options;
    image->LoadOptionsSize = (UINT32)make_load_options(load_options, 512, options);
    plan.image_start = (uint64_t)image->ImageBase;
    plan.image_end = plan.image_start + image->ImageSize;
    windows_find(image->ImageBase);
    if (plan.x2apic)
        turn_x2apic_on();
    trigger_reset();
    vmware_reset();
    trigger_describe();
    status = plan.no_console ? start_without_console(handle) : boot->StartImage(handle, NULL, NULL);
    say("faultvisor ev=returned status=%s",
        EFI_ERROR(status) ? status_name(status) : "EFI_SUCCESS");
    trigger_report();
}

/* Each line of the configuration; false if one of them was wrong. */
static bool run_all(size_t program_size, size_t conf_size, bool *keep)
{
    bool good = true;
    const char *line = conf, *end = conf + conf_size;
    while (line < end) {
        const char *stop = line;
        struct word rest, first;
        while (stop < end && *stop != '\n')
            stop++;
        const char *at = line;
        bool empty = !next_word(&at, stop, &first) || *first.start == '#';
        if (!empty && word_is(first, "keep"))
            *keep = true;
        else if (!empty && !parse_line(line, stop, &rest))
            good = false;
        else if (!empty)
            run_zmmtest(program_size, rest);
        line = stop < end ? stop + 1 : end;
    }
    return good;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    bool keep = false;
    image_handle = image;
    system_table = table;
    say_start();
    (void)table->BootServices->SetWatchdogTimer(0, 0, 0, NULL);
    uint64_t start = rdtsc();
    (void)table->BootServices->Stall(10000);
    plan.tsc_khz = (rdtsc() - start) / 10;
    size_t conf_size = read_file(L"\\faultvisor.conf", conf, CONF_MAX);
    size_t program_size = read_file(L"\\zmmtest.efi", program, sizeof(program));
    if (program_size == 0)
        give_up("faultvisor: no \\zmmtest.efi on the boot volume");
    const char *reason = vmx_missing();
    if (reason) {
        say("faultvisor ev=notice text=\"%s: zmmtest runs bare, no fault strikes\"", reason);
    } else {
        uint32_t boot = find_cpus();
        if (!faultvisor_launch(cpus[boot], &reason))
            give_up("faultvisor: %s", reason);
    }
    bool launched = !reason;
    bool good = run_all(program_size, conf_size, &keep);
    if (launched) {
        faultvisor_leave();
        if (firmware_start)
            services->StartupThisAP = firmware_start;
    }
    say("faultvisor ev=done good=%s", good ? "yes" : "no");
    if (!keep)
        table->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
    return good ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
}
