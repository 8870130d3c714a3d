/*
 * Starts zmmtest over faultvisor, once for each line of \faultvisor.conf:
 *
 *     fault=NAME every=N after=M on=EXITS pose=vmware -- OPTIONS OF ZMMTEST
 *     fault=NAME every=Nms, mean-ms=N, migrate=N, hang=N, apic=x2apic, console=none, rpci=HOW,
 *     guestinfo="OPTIONS", cpuid=LEAF.SUBLEAF:REGISTER=VALUE: see ci/README.md
 *
 * All of it is optional: no fault, every 5th exit from the first on, all kinds of exits, a
 * signature of its own. zmmtest's options begin with end=exit. After the last line the machine
 * is powered off, unless `keep` stands alone in a line.
 */
#include "../../efi/core/word.h"
#include "../../efi/platform/instructions.h"
#include "../../efi/uefi/firmware.h"
#include "../../efi/uefi/mp_services.h"
#include "exits.h"
#include "launch.h"
#include "moments.h"
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

/* --- other vCPUs -------------------------------------------------------------------------------
 */

static EFI_MP_SERVICES_PROTOCOL *services;
static EFI_STATUS(EFIAPI *firmware_start)(EFI_MP_SERVICES_PROTOCOL *, EFI_AP_PROCEDURE, UINTN,
                                          EFI_EVENT, UINTN, VOID *, BOOLEAN *);
static EFI_STATUS(EFIAPI *firmware_start_all)(EFI_MP_SERVICES_PROTOCOL *, EFI_AP_PROCEDURE, BOOLEAN,
                                              EFI_EVENT, UINTN, VOID *, UINTN **);

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

/* In the place of its StartupAllAPs: here they start one by one, as some firmware has it. */
static EFI_STATUS EFIAPI start_none(EFI_MP_SERVICES_PROTOCOL *this, EFI_AP_PROCEDURE procedure,
                                    BOOLEAN one_by_one, EFI_EVENT event, UINTN timeout,
                                    VOID *argument, UINTN **failed)
{
    (void)this;
    (void)procedure;
    (void)one_by_one;
    (void)event;
    (void)timeout;
    (void)argument;
    (void)failed;
    return EFI_UNSUPPORTED;
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
        firmware_start_all = services->StartupAllAPs;
        services->StartupThisAP = start_as_guest;
        services->StartupAllAPs = start_none;
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
    exits_intercept_ports(!plan.through_diagnostic, !plan.through_rtc, plan.mean_ms != 0);
    trigger_reset();
    moments_reset();
    vmware_reset();
    trigger_describe();
    status = plan.no_console ? start_without_console(handle) : boot->StartImage(handle, NULL, NULL);
    say("faultvisor ev=returned status=%s",
        EFI_ERROR(status) ? status_name(status) : "EFI_SUCCESS");
    if (plan.mean_ms)
        moments_report();
    else
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
        bool empty = !plan_next_word(&at, stop, &first) || *first.start == '#';
        if (!empty && word_is(first, "keep"))
            *keep = true;
        else if (!empty && !plan_read(line, stop, &rest))
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
        if (firmware_start) {
            services->StartupThisAP = firmware_start;
            services->StartupAllAPs = firmware_start_all;
        }
    }
    say("faultvisor ev=done good=%s", good ? "yes" : "no");
    if (!keep)
        table->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
    return good ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
}
