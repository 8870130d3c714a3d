# zmmtest: a UEFI application that tests whether what runs beneath a guest keeps its registers.
# `make help` lists what there is to do; README.md is the guide.

CC      ?= gcc
OBJCOPY ?= objcopy
LD      ?= ld

BUILD := build
EFI   := $(BUILD)/zmmtest.efi
IMAGE := $(BUILD)/zmmtest.img
ISO   := $(BUILD)/zmmtest.iso

SIGNED := $(BUILD)/zmmtest.signed

FAULTVISOR := $(BUILD)/faultvisor.efi

# The same as a Linux process, and what breaks registers beneath it.
SILICON := $(BUILD)/zmmtest-linux $(BUILD)/inject
BENCH   := $(BUILD)/bench $(BUILD)/xstate-loop

# C must not touch a vector register: -mgeneral-regs-only makes the compiler refuse, ci/purity
# proves it of the linked program. No red zone: exceptions are delivered onto the current stack.
WARNINGS := -Wall -Wextra -Wpedantic -Werror
EFI_HEADERS := -DGNU_EFI_USE_MS_ABI -isystem /usr/include/efi -isystem /usr/include/efi/x86_64
EFI_CFLAGS := -std=c11 -O2 $(WARNINGS) -ffreestanding -fpic -fvisibility=hidden -fshort-wchar \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -mno-red-zone \
	-mgeneral-regs-only $(EFI_HEADERS) -I$(BUILD)
EFI_SECTIONS := .text .window .rodata .data .dynamic .rela .reloc .sbat .bss

EFI_SOURCES := $(wildcard efi/*.c efi/*/*.c efi/*.S efi/*/*.S linker/*.S)
EFI_OBJECTS := $(patsubst %,$(BUILD)/%.o,$(EFI_SOURCES))

.DELETE_ON_ERROR:
.PHONY: all run demo dist sign check silicon bench lint clean help FORCE

all: $(EFI) $(IMAGE) $(ISO) ## build/zmmtest.efi, .img (disk) and .iso (CD)

run: ## boot the image and show its log (ENGINE= CPUS= MODEL= MEDIUM= OPTIONS= LIMIT=)
	@ci/install run $(ENGINE)
	@$(MAKE) --no-print-directory -s all
	@ci/boot/run

demo: ## the ESXi 8.0.2 bug, with and without: zmmtest over faultvisor in Bochs
	@ci/install run bochs
	@$(MAKE) --no-print-directory -s $(EFI) $(FAULTVISOR)
	@ci/boot/demo

# The date of the commit, where nobody has set one, so that a release is the same whoever makes it.
dist: ## build/dist/: .efi .iso .img .qcow2 .vmdk .vhd .ova and SHA256SUMS, the same bytes each time
	@ci/install dist
	@$(MAKE) --no-print-directory -s $(EFI)
	@SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(ci/version epoch)} \
		image/make-dist $(EFI) image/zmmtest.conf $(BUILD)/dist

sign: ## build/zmmtest.signed.efi, .img and .iso for Secure Boot (KEY= CERT=: PEM files)
	@[ -n "$(KEY)" ] && [ -n "$(CERT)" ] || { echo "usage: make sign KEY=FILE CERT=FILE, both PEM" >&2; exit 2; }
	@rm -f $(SIGNED).efi $(SIGNED).img $(SIGNED).iso
	@ci/install sign
	@$(MAKE) --no-print-directory -s $(EFI)
	sbsign --key "$(KEY)" --cert "$(CERT)" --output $(SIGNED).efi $(EFI)
	image/make-image gpt $(SIGNED).efi image/zmmtest.conf $(SIGNED).img
	image/make-image iso $(SIGNED).efi image/zmmtest.conf $(SIGNED).iso

check: ## run every test
	@ci/install check
	@$(MAKE) --no-print-directory -s all $(FAULTVISOR) $(SILICON) unit
	CMOCKA_MESSAGE_OUTPUT=TAP prove --timer $(UNIT_TESTS) ci/unit/*.t ci/purity/*.t ci/fleet/*.t ci/silicon/*.t ci/boot/*.t

silicon: $(SILICON) ## build/zmmtest-linux: the same windows as a Linux program

bench: ## what zmmtest costs and finds on this machine; fails on a regression
	@ci/install bench
	@$(MAKE) --no-print-directory -s all $(SILICON) $(BENCH)
	@ci/silicon/bench

lint: ## clang-format, clang-tidy, cppcheck, shellcheck, pyflakes
	@ci/install lint
	@$(MAKE) --no-print-directory -s $(BUILD)/version.h
	ci/lint

clean: ## remove build/
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- the UEFI application ------------------------------------------------------------------------

$(BUILD)/%.c.o: %.c $(BUILD)/version.h | $(BUILD)/tools
	@mkdir -p $(@D)
	$(CC) $(EFI_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/%.S.o: %.S | $(BUILD)/tools
	@mkdir -p $(@D)
	$(CC) -MMD -MP -c $< -o $@

$(BUILD)/zmmtest.so: linker/zmmtest.lds $(EFI_OBJECTS)
	$(LD) -nostdlib -shared -Bsymbolic -znocombreloc --no-undefined -T $< -o $@ $(EFI_OBJECTS) \
		/usr/lib/libgnuefi.a

$(BUILD)/%.efi: $(BUILD)/%.so linker/finish-pe
	$(OBJCOPY) -O efi-app-x86_64 --strip-all $(addprefix -j ,$(EFI_SECTIONS)) $< $@.new
	linker/finish-pe $@.new
	mv $@.new $@

# Rewritten only when it changes, so that a new commit rebuilds no more than it must.
$(BUILD)/version.h: FORCE
	@mkdir -p $(@D)
	@ci/version > $@.new
	@cmp -s $@.new $@ || mv $@.new $@
	@rm -f $@.new

# What the build needs is looked at once.
$(BUILD)/tools:
	@ci/install build
	@mkdir -p $(@D)
	@touch $@

# --- faultvisor: the test equipment ----------------------------------------------------------------

FAULTVISOR_SOURCES := $(wildcard ci/faultvisor/*.c ci/faultvisor/*.S) efi/entry.S efi/text.c \
	efi/firmware.c efi/freestanding.c efi/machine/cpuid.c efi/report/serial.c linker/sbat.S
FAULTVISOR_OBJECTS := $(patsubst %,$(BUILD)/%.o,$(FAULTVISOR_SOURCES))

$(BUILD)/faultvisor.so: linker/zmmtest.lds $(FAULTVISOR_OBJECTS)
	$(LD) -nostdlib -shared -Bsymbolic -znocombreloc --no-undefined -T $< -o $@ \
		$(FAULTVISOR_OBJECTS) /usr/lib/libgnuefi.a

# --- the same as a Linux process -------------------------------------------------------------------

# All of zmmtest but what asks the firmware or needs privileges; ci/silicon/linux/ stands in for that.
SILICON_OF_EFI := $(filter-out efi/main.c efi/conf.c efi/firmware.c efi/freestanding.c efi/keys.c \
	efi/pages.c efi/disks.c efi/entry.S efi/report/console.c efi/report/serial.c efi/report/files.c efi/report/vmware.c efi/screen/terminal.c \
	efi/machine/vmware.c efi/machine/rpci.c efi/machine/fw_cfg.c efi/machine/clock.c efi/machine/identify.c efi/machine/idt.c efi/machine/platform.c efi/machine/processors.c \
	efi/machine/trap_entry.S efi/machine/xstate_on.c,$(wildcard efi/*.[cS] efi/*/*.[cS]))
SILICON_SOURCES := $(SILICON_OF_EFI) $(wildcard ci/silicon/linux/*.c)
SILICON_OBJECTS := $(patsubst %,$(BUILD)/silicon/%.o,$(SILICON_SOURCES))
SILICON_CFLAGS := -std=c11 -O2 -g $(WARNINGS) -D_GNU_SOURCE -mgeneral-regs-only -fno-pie -I$(BUILD)

$(BUILD)/silicon/%.o: % $(BUILD)/version.h | $(BUILD)/tools
	@mkdir -p $(@D)
	$(CC) $(SILICON_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/zmmtest-linux: $(SILICON_OBJECTS) ci/unit/host.lds
	$(CC) -no-pie -pthread -o $@ $(SILICON_OBJECTS) -Wl,-T,ci/unit/host.lds

$(BUILD)/xstate-loop: ci/silicon/xstate_loop.c ci/faultvisor/area.c ci/faultvisor/area.h efi/machine/cpuid.c efi/machine/cpu.h | $(BUILD)/tools
	$(CC) $(HOST_CFLAGS) -pthread -o $@ $(filter %.c,$^)

$(BUILD)/bench: ci/silicon/bench.c $(filter-out %/main.c.o,$(SILICON_OBJECTS)) ci/unit/host.lds
	$(CC) $(HOST_CFLAGS) -O2 -no-pie -pthread -o $@ $(filter %.c %.o,$^) -Wl,-T,ci/unit/host.lds

$(BUILD)/inject: ci/silicon/inject.c ci/faultvisor/area.c ci/faultvisor/area.h efi/machine/cpuid.c efi/machine/cpu.h | $(BUILD)/tools
	$(CC) $(HOST_CFLAGS) -o $@ $(filter %.c,$^)

# --- images --------------------------------------------------------------------------------------

$(IMAGE): $(EFI) image/zmmtest.conf image/make-image
	image/make-image disk $(EFI) image/zmmtest.conf $@

$(ISO): $(EFI) image/zmmtest.conf image/make-image
	image/make-image iso $(EFI) image/zmmtest.conf $@

# --- host tests ----------------------------------------------------------------------------------

UNIT_NAMES := $(patsubst ci/unit/%.c,%,$(wildcard ci/unit/test_*.c))
UNIT_TESTS := $(patsubst %,$(BUILD)/unit/%,$(UNIT_NAMES))

# Modules that know no UEFI, and the windows; cpuid() and backdoor_call() are the tests' own.
PORTABLE := efi/text.c efi/component.c efi/verdict.c efi/options.c efi/diagnosis/diagnosis.c \
	efi/diagnosis/signatures.c efi/report/report.c efi/report/conclusion.c efi/machine/cpu.c efi/machine/hypervisor.c \
	efi/machine/rpci.c efi/machine/vmware.c efi/machine/fw_cfg.c efi/report/vmware.c $(filter-out efi/screen/terminal.c,$(wildcard efi/screen/*.c)) efi/machine/xstate.c efi/machine/changes.c efi/machine/apic.c efi/machine/traps.c efi/machine/trap_call.S ci/silicon/linux/idt.c $(wildcard efi/window/*.[cS])
HOST_CFLAGS := -std=c11 -O1 -g $(WARNINGS) -D_GNU_SOURCE

.PHONY: unit
unit: $(UNIT_TESTS)

# What a test has under test besides.
EXTRA_test_vmware_pose := ci/faultvisor/vmware.c
EXTRA_test_vmware_channel := ci/faultvisor/vmware.c
EXTRA_test_menu := efi/report/events.c
EXTRA_test_terminal := efi/screen/terminal.c -fshort-wchar $(EFI_HEADERS)

$(BUILD)/unit/%: ci/unit/%.c ci/unit/host.c ci/unit/host.lds ci/faultvisor/vmware.c $(PORTABLE) $(wildcard efi/*.h efi/*/*.h) | $(BUILD)/version.h
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -I$(BUILD) -o $@ $< ci/unit/host.c $(EXTRA_$*) $(PORTABLE) -Wl,-T,ci/unit/host.lds -lcmocka

-include $(EFI_OBJECTS:.o=.d) $(FAULTVISOR_OBJECTS:.o=.d) $(SILICON_OBJECTS:.o=.d)
