# zmmtest: a UEFI application that tests whether what runs beneath a guest keeps its registers.
# `make help` lists what there is to do; README.md is where to begin.

CC      ?= gcc
OBJCOPY ?= objcopy
LD      ?= ld
AR      ?= ar

# As many jobs at once as there are processors; JOBS=1 for one after the other.
JOBS ?= $(shell nproc)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)
endif
MAKEFLAGS += --no-print-directory

BUILD := build
EFI   := $(BUILD)/zmmtest.efi
IMAGE := $(BUILD)/zmmtest.img
ISO   := $(BUILD)/zmmtest.iso

SIGNED := $(BUILD)/zmmtest.signed

FAULTVISOR := $(BUILD)/faultvisor.efi $(BUILD)/faultvisor-list

# The same as a Linux process, and what breaks registers beneath it.
SILICON := $(BUILD)/zmmtest-linux $(BUILD)/inject
BENCH   := $(BUILD)/bench $(BUILD)/xstate-loop

# Distributions differ in where they put gnu-efi.
EFI_INCLUDE ?= $(patsubst %/efi.h,%,$(firstword $(wildcard $(addsuffix /efi.h,/usr/include/efi \
	/usr/local/include/efi))))
EFI_LIBRARY ?= $(firstword $(wildcard $(addsuffix /libgnuefi.a,/usr/lib /usr/lib64 /usr/lib/gnuefi \
	/usr/lib64/gnuefi /usr/lib/gnuefi/x64 /usr/lib64/gnuefi/x64 /usr/local/lib)))

# C must not touch a vector register: -mgeneral-regs-only makes the compiler refuse, ci/purity
# proves it of the linked program. No red zone: exceptions are delivered onto the current stack.
WARNINGS := -Wall -Wextra -Wpedantic -Werror
EFI_HEADERS := -DGNU_EFI_USE_MS_ABI -isystem $(EFI_INCLUDE) -isystem $(EFI_INCLUDE)/x86_64
EFI_CFLAGS := -std=c11 -O2 $(WARNINGS) -ffreestanding -fpic -fvisibility=hidden -fshort-wchar \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -mno-red-zone \
	-mgeneral-regs-only $(EFI_HEADERS) -I$(BUILD)
EFI_SECTIONS := .text .window .rodata .windows .data .dynamic .rela .reloc .sbat .bss


# Sources by folder; each program takes of an archive what it needs.
CORE       := $(wildcard efi/core/*.[cS] efi/core/*/*.[cS])
EFI_ARCHIVE := $(BUILD)/zmmtest.a
EFI_OBJECTS := $(patsubst %,$(BUILD)/%.o,$(CORE) $(wildcard efi/ring0/*.[cS] efi/uefi/*.[cS]))
PE_OBJECTS  := $(patsubst %,$(BUILD)/%.o,$(wildcard linker/*.S))

.DELETE_ON_ERROR:
.PHONY: all run demo deps dist sign test unit check check-debian check-fleet check-hypervisors fuzz silicon bench lint clean help FORCE

# Commands build the same things: two of them run one after the other.
ifneq ($(and $(word 2,$(MAKECMDGOALS)),$(filter run demo dist sign unit test check check-debian check-fleet check-hypervisors fuzz bench lint,$(MAKECMDGOALS))),)
.NOTPARALLEL:
endif

all: $(EFI) $(IMAGE) $(ISO) $(BUILD)/zmmtest-linux ## build/zmmtest.efi, .img (disk) and .iso (CD), and zmmtest-linux

deps: ## install the packages that are missing to build (FOR=run, check, lint, ... for those of that command)
	@ci/install $(or $(FOR),build)

run: ## boot the image and show its log (ENGINE= CPUS= MODEL= MEDIUM= SCREEN= OPTIONS= LIMIT=)
	@ci/boot/run --check
	@ci/install run $(ENGINE)
	@$(MAKE) -s all
	@ci/boot/run

demo: ## the ESXi 8.0.2 bug, with and without: zmmtest over faultvisor in Bochs
	@ci/install run bochs
	@$(MAKE) -s $(EFI) $(FAULTVISOR)
	@ci/boot/demo

# The date of the commit, where nobody has set one, so that a release is the same whoever makes it.
dist: ## build/dist/: .efi .iso .img .qcow2 .vmdk .vhd .ova and SHA256SUMS, the same bytes each time
	@ci/install dist
	@$(MAKE) -s $(EFI)
	@SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(ci/version epoch)} \
		image/make-dist $(EFI) image/zmmtest.conf $(BUILD)/dist

sign: ## build/zmmtest.signed.efi, .img and .iso for Secure Boot (KEY= CERT=: PEM files)
	@[ -n "$(KEY)" ] && [ -n "$(CERT)" ] || { echo "usage: make sign KEY=FILE CERT=FILE, both PEM" >&2; exit 2; }
	@rm -f $(SIGNED).efi $(SIGNED).img $(SIGNED).iso
	@ci/install sign
	@$(MAKE) -s $(EFI)
	sbsign --key "$(KEY)" --cert "$(CERT)" --output $(SIGNED).efi $(EFI)
	image/make-image gpt $(SIGNED).efi image/zmmtest.conf $(SIGNED).img
	image/make-image iso $(SIGNED).efi image/zmmtest.conf $(SIGNED).iso

unit: ## run the unit tests
	@ci/install unit
	@$(MAKE) -s unit-programs
	@ci/prove $(UNIT_TESTS)

test: ## the quick loop: unit tests, purity of the binary, one boot; under a minute
	@ci/install test
	@$(MAKE) -s all unit-programs $(BUILD)/faultvisor-list
	@ci/prove $(UNIT_TESTS) ci/unit/guides.t ci/purity/*.t ci/boot/quick.t

# Boots are two at a time by themselves (ci/boot/lib.sh), and tests of the fleet wait more than they work: so several tests
# run at once. Those that take longest begin first.
LONG_TESTS := $(wildcard ci/hypervisors/*.t) ci/boot/matrix.t
check: ## run every test
	@ci/install check
	@$(MAKE) -s all $(FAULTVISOR) $(SILICON) $(FUZZERS) unit-programs
	@ci/prove --timer --jobs 4 $(LONG_TESTS) $(UNIT_TESTS) ci/unit/*.t ci/fuzz/*.t ci/purity/*.t ci/fleet/*.t ci/silicon/*.t \
		$(filter-out $(LONG_TESTS),$(wildcard ci/boot/*.t))

check-hypervisors: ## run zmmtest beneath KVM and Xen, with every bug that can be planted in them
	@ci/install check
	@$(MAKE) -s all
	@ALL=yes ci/prove --verbose ci/hypervisors/*.t

# Some minutes the first time, which builds govc; that is in .cache/, where clean leaves it.
check-fleet: ## run what speaks to VMware and Kubernetes with the real programs: govc, vmware-rpctool, kubectl
	@ci/install fleet
	@$(MAKE) -s $(BUILD)/zmmtest-linux $(BUILD)/vmware-host dist
	@ci/fleet/real/prepare
	@ci/prove --timer ci/fleet/real/*.t

check-debian: ## the quick loop in the other Debian, in a folder: 13 on Debian 12, and 12 elsewhere
	@ci/in-debian "$$(grep -qs bookworm /etc/os-release && echo trixie || echo bookworm)" make test

# Each target for so long.
SECONDS ?= 20
fuzz: ## feed each parser with made-up input, for SECONDS= each (20)
	@ci/install fuzz
	@$(MAKE) -s $(FUZZERS)
	@ci/fuzz/run $(SECONDS)

silicon: $(SILICON) ## build/zmmtest-linux: the same windows as a Linux program

bench: ## what zmmtest costs and finds on this machine; fails on a regression
	@ci/install bench
	@$(MAKE) -s all $(FAULTVISOR) $(SILICON) $(BENCH)
	@ci/silicon/bench

lint: ## clang-format, clang-tidy, cppcheck, shellcheck, pyflakes, links of the guides
	@ci/install lint
	@$(MAKE) -s $(BUILD)/version.h
	@ci/lint

clean: ## remove build/
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- the UEFI application ------------------------------------------------------------------------

# version.h comes first, but a new one concerns only who includes it: the .d files say who does.
$(BUILD)/%.c.o: %.c | $(BUILD)/version.h $(BUILD)/tools
	@mkdir -p $(@D)
	$(CC) $(EFI_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/%.S.o: %.S | $(BUILD)/tools
	@mkdir -p $(@D)
	$(CC) -MMD -MP -c $< -o $@

$(EFI_ARCHIVE): $(EFI_OBJECTS)
	@rm -f $@
	$(AR) rc $@ $^

$(BUILD)/%.so: linker/zmmtest.lds $(PE_OBJECTS) $(EFI_ARCHIVE)
	$(LD) -nostdlib -shared -Bsymbolic -znocombreloc --no-undefined -T $< -o $@ $(filter %.o,$^) $(EFI_ARCHIVE) \
		$(EFI_LIBRARY)

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
	@INSTALL=no ci/install build
	@mkdir -p $(@D)
	@touch $@

# --- faultvisor: the test equipment ----------------------------------------------------------------

$(BUILD)/faultvisor.so: $(patsubst %,$(BUILD)/%.o,$(wildcard ci/faultvisor/*.[cS]))

# --- on the build machine: the Linux program, the bench, the unit tests ------------------------------

# All that runs anywhere, and the second implementation of efi/platform.
HOST_ARCHIVE := $(BUILD)/host/zmmtest.a
HOST_OBJECTS := $(patsubst %,$(BUILD)/host/%.o,$(CORE) $(wildcard ci/linux/*.c))
HOST_CFLAGS := -std=c11 -O2 -g $(WARNINGS) -D_GNU_SOURCE -fno-pie -I$(BUILD)
HOST_LINK := -no-pie -pthread -Wl,-T,ci/unit/host.lds

# Here, too, C that runs beside the windows must not touch a vector register.
$(BUILD)/host/efi/% $(BUILD)/host/ci/linux/%: HOST_CFLAGS += -mgeneral-regs-only

$(BUILD)/host/%.o: % | $(BUILD)/version.h $(BUILD)/tools
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -MMD -MP -c $< -o $@

$(HOST_ARCHIVE): $(HOST_OBJECTS)
	@rm -f $@
	$(AR) rc $@ $^

$(BUILD)/zmmtest-linux: $(HOST_ARCHIVE) ci/unit/host.lds
	$(CC) -o $@ $(HOST_ARCHIVE) $(HOST_LINK)

$(BUILD)/bench: $(BUILD)/host/ci/silicon/bench.c.o $(HOST_ARCHIVE) ci/unit/host.lds
	$(CC) -o $@ $(filter %.o %.a,$^) $(HOST_LINK)

# What faultvisor can do, in words for the tests: its tables, on the build machine.
FAULTVISOR_TABLES := $(patsubst %,$(BUILD)/host/ci/faultvisor/%.o,faults.c edits.c edits.S area.c exit_kind.c host_cpu.c)

$(BUILD)/faultvisor-list: $(BUILD)/host/ci/unit/faultvisor_list.c.o $(FAULTVISOR_TABLES) $(HOST_ARCHIVE)
	$(CC) -no-pie -o $@ $^

# These two stand beside zmmtest: nothing of it is in them but CPUID.
AREA_OBJECTS := $(patsubst %,$(BUILD)/host/%.o,ci/faultvisor/area.c efi/core/machine/cpuid.c)

$(BUILD)/xstate-loop: $(BUILD)/host/ci/silicon/xstate_loop.c.o $(AREA_OBJECTS)
	$(CC) -no-pie -pthread -o $@ $^

$(BUILD)/inject: $(BUILD)/host/ci/silicon/inject.c.o $(AREA_OBJECTS)
	$(CC) -no-pie -o $@ $^

# A VMware host for processes, of the pose.
$(BUILD)/vmware-host: $(patsubst %,$(BUILD)/host/%.o,ci/fleet/real/vmware_host.c ci/faultvisor/vmware.c) $(HOST_ARCHIVE)
	$(CC) -no-pie -o $@ $^

# --- fuzz targets -----------------------------------------------------------------------------------

# The same sources once more, by clang, with its sanitizers; the assembly is the host's.
FUZZ_NAMES   := $(patsubst ci/fuzz/%.c,%,$(wildcard ci/fuzz/fuzz_*.c))
FUZZERS      := $(patsubst %,$(BUILD)/fuzz/%,$(FUZZ_NAMES))
FUZZ_ARCHIVE := $(BUILD)/fuzz/zmmtest.a
FUZZ_OBJECTS := $(patsubst %,$(BUILD)/fuzz/%.o,$(filter %.c,$(CORE)) $(wildcard ci/linux/*.c) ci/fuzz/fuzz.c) \
	$(patsubst %,$(BUILD)/host/%.o,$(filter %.S,$(CORE)))
FUZZ_CFLAGS  := -std=c11 -O1 -g $(WARNINGS) -D_GNU_SOURCE -fno-pie -fno-omit-frame-pointer -I$(BUILD) \
	-fsanitize=address,undefined -fno-sanitize-recover=all

$(BUILD)/fuzz/%.o: % | $(BUILD)/version.h
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(BUILD)/fuzz/efi/uefi/%.o $(BUILD)/fuzz/ci/fuzz/fuzz_volume.c.o: FUZZ_CFLAGS += -fshort-wchar $(EFI_HEADERS)

$(FUZZ_ARCHIVE): $(FUZZ_OBJECTS)
	@rm -f $@
	$(AR) rc $@ $^

$(BUILD)/fuzz/fuzz_volume: $(patsubst %,$(BUILD)/fuzz/efi/uefi/%.c.o,files conf firmware)

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/ci/fuzz/fuzz_%.c.o $(FUZZ_ARCHIVE) ci/unit/host.lds
	clang -fsanitize=fuzzer,address,undefined -o $@ $(filter %.o,$^) $(filter %.a,$^) $(HOST_LINK)

# --- images --------------------------------------------------------------------------------------

$(IMAGE): $(EFI) image/zmmtest.conf image/make-image image/bios.S image/scratch.sh
	image/make-image disk $(EFI) image/zmmtest.conf $@

$(ISO): $(EFI) image/zmmtest.conf image/make-image image/bios.S image/scratch.sh
	image/make-image iso $(EFI) image/zmmtest.conf $@

# --- unit tests ----------------------------------------------------------------------------------

UNIT_NAMES := $(patsubst ci/unit/%.c,%,$(wildcard ci/unit/test_*.c))
UNIT_TESTS := $(patsubst %,$(BUILD)/unit/%,$(UNIT_NAMES))

.PHONY: unit-programs
unit-programs: $(UNIT_TESTS)

# Those that run rounds; those of files that speak UEFI; and those of what faultvisor says as VMware.
$(BUILD)/unit/test_areas $(BUILD)/unit/test_exposure $(BUILD)/unit/test_hits $(BUILD)/unit/test_step $(BUILD)/unit/test_system $(BUILD)/unit/test_turns $(BUILD)/unit/test_windows: $(BUILD)/host/ci/unit/rounds_fixture.c.o
UEFI_TESTED := disks mp_services net scratch terminal
$(patsubst %,$(BUILD)/unit/test_%,$(UEFI_TESTED)): $(BUILD)/unit/test_%: $(BUILD)/host/efi/uefi/%.c.o \
	$(BUILD)/host/efi/uefi/firmware.c.o
$(BUILD)/unit/test_disks $(BUILD)/unit/test_net $(BUILD)/unit/test_scratch: $(BUILD)/host/ci/unit/fake_firmware.c.o
$(BUILD)/unit/test_disks $(BUILD)/unit/test_scratch: $(BUILD)/host/efi/uefi/block_device.c.o
$(BUILD)/unit/test_net: $(BUILD)/host/efi/uefi/net_find.c.o
$(BUILD)/unit/test_scratch: $(BUILD)/host/efi/uefi/scratch_find.c.o
$(BUILD)/unit/test_vmware_channel $(BUILD)/unit/test_vmware_pose: $(BUILD)/host/ci/faultvisor/vmware.c.o
$(BUILD)/host/efi/uefi/%: HOST_CFLAGS += -fshort-wchar $(EFI_HEADERS)
$(patsubst %,$(BUILD)/host/ci/unit/%.c.o,fake_firmware $(addprefix test_,$(UEFI_TESTED))): HOST_CFLAGS += -fshort-wchar $(EFI_HEADERS)

# host.c stands before the archive: its CPUID and its backdoor are the tests' own.
$(BUILD)/unit/%: $(BUILD)/host/ci/unit/%.c.o $(BUILD)/host/ci/unit/host.c.o $(HOST_ARCHIVE) ci/unit/host.lds
	@mkdir -p $(@D)
	$(CC) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(HOST_LINK) -lcmocka

# Objects are kept, also those that only a pattern names.
.SECONDARY:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
