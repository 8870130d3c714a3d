/*
 * The table of system registers: SDM vol. 3, chapter 2 and vol. 4; APM vol. 2, appendix A. What may
 * hold a pattern is unused meanwhile: no SYSCALL, SYSENTER or SWAPGS, no page fault but what
 * a window survives, no breakpoint that is on, and with interrupts off no task priority. Whatever
 * it is, it is an address that is canonical, as some of them must be. SYSENTER_ESP and SYSENTER_EIP
 * of AMD have 32 bits (APM vol. 2, 6.1.2); emulators keep 64, of which KVM forgets the upper half.
 */
#include "system_table.h"

enum { EAX, EBX, ECX, EDX };

/* Where CPUID says so. On AMD each of the three bits of SPEC_CTRL has one of its own. */
#define RDTSCP                                                                                     \
    {                                                                                              \
        0x80000001, 0, EDX, 1u << 27                                                               \
    }
#define RDPID                                                                                      \
    {                                                                                              \
        7, 0, ECX, 1u << 22                                                                        \
    }
#define SYSENTER                                                                                   \
    {                                                                                              \
        1, 0, EDX, 1u << 11                                                                        \
    }
#define PAGE_ATTRIBUTES                                                                            \
    {                                                                                              \
        1, 0, EDX, 1u << 16                                                                        \
    }
#define XSAVES                                                                                     \
    {                                                                                              \
        0xd, 1, EAX, 1u << 3                                                                       \
    }
#define SPEC_CTRL_INTEL                                                                            \
    {                                                                                              \
        7, 0, EDX, 1u << 26 | 1u << 27 | 1u << 31                                                  \
    }
#define SPEC_CTRL_AMD                                                                              \
    {                                                                                              \
        0x80000008, 0, EBX, 1u << 14 | 1u << 15 | 1u << 24                                         \
    }
#define SUPERVISOR_KEYS                                                                            \
    {                                                                                              \
        7, 0, ECX, 1u << 31                                                                        \
    }
#define SHADOW_STACKS                                                                              \
    {                                                                                              \
        7, 0, ECX, 1u << 7                                                                         \
    }
#define BRANCH_TRACKING                                                                            \
    {                                                                                              \
        7, 0, EDX, 1u << 20                                                                        \
    }

/* B0 to B3, BD, BS and BT: DR6 says by them what a debug exception was. */
#define DR6_STATUS UINT64_C(0xe00f)

const struct system_row system_rows[SYSTEM_COUNT] = {
    [SYSTEM_XCR0] = {.name = "xcr0"},
    [SYSTEM_IDTR] = {.name = "idtr"},
    [SYSTEM_GDTR] = {.name = "gdtr"},
    [SYSTEM_TR] = {.name = "tr", .is_left = true}, /* LTR takes no task that is busy */
    [SYSTEM_LDTR] = {.name = "ldtr"},
    [SYSTEM_CS] = {.name = "cs", .is_left = true},
    [SYSTEM_SS] = {.name = "ss"},
    [SYSTEM_DS] = {.name = "ds"},
    [SYSTEM_ES] = {.name = "es"},
    [SYSTEM_FS] = {.name = "fs"},
    [SYSTEM_GS] = {.name = "gs"},
    [SYSTEM_CR0] = {.name = "cr0"},
    [SYSTEM_CR2] = {.name = "cr2", .pattern_bits = SYSTEM_CANONICAL},
    [SYSTEM_CR3] = {.name = "cr3"},
    [SYSTEM_CR4] = {.name = "cr4"},
    [SYSTEM_CR8] = {.name = "cr8", .pattern_bits = 0xf, .needs_quiet = true},
    [SYSTEM_DR7] = {.name = "dr7"},
    [SYSTEM_DR6] = {.name = "dr6", .pattern_bits = DR6_STATUS},
    [SYSTEM_DR0] = {.name = "dr0", .pattern_bits = SYSTEM_CANONICAL},
    [SYSTEM_DR1] = {.name = "dr1", .pattern_bits = SYSTEM_CANONICAL},
    [SYSTEM_DR2] = {.name = "dr2", .pattern_bits = SYSTEM_CANONICAL},
    [SYSTEM_DR3] = {.name = "dr3", .pattern_bits = SYSTEM_CANONICAL},
    [SYSTEM_EFER] = {.name = "efer", .msr = 0xc0000080},
    [SYSTEM_FS_BASE] = {.name = "fs_base", .msr = 0xc0000100, .pattern_bits = SYSTEM_CANONICAL},
    [SYSTEM_GS_BASE] = {.name = "gs_base",
                        .msr = 0xc0000101,
                        .pattern_bits = SYSTEM_CANONICAL,
                        .needs_quiet = true},
    [SYSTEM_KERNEL_GS_BASE] = {.name = "kernel_gs_base",
                               .msr = 0xc0000102,
                               .pattern_bits = SYSTEM_CANONICAL},
    [SYSTEM_TSC_AUX] = {.name = "tsc_aux",
                        .msr = 0xc0000103,
                        .there = {RDTSCP, RDPID},
                        .pattern_bits = UINT32_MAX},
    [SYSTEM_STAR] = {.name = "star", .msr = 0xc0000081, .pattern_bits = SYSTEM_CANONICAL},
    [SYSTEM_LSTAR] = {.name = "lstar", .msr = 0xc0000082, .pattern_bits = SYSTEM_CANONICAL},
    [SYSTEM_CSTAR] = {.name = "cstar", .msr = 0xc0000083, .pattern_bits = SYSTEM_CANONICAL},
    [SYSTEM_SFMASK] = {.name = "sfmask", .msr = 0xc0000084, .pattern_bits = UINT32_MAX},
    [SYSTEM_SYSENTER_CS] = {.name = "sysenter_cs",
                            .msr = 0x174,
                            .there = {SYSENTER},
                            .pattern_bits = 0xffff},
    [SYSTEM_SYSENTER_ESP] = {.name = "sysenter_esp",
                             .msr = 0x175,
                             .there = {SYSENTER},
                             .pattern_bits = SYSTEM_CANONICAL,
                             .amd_pattern_bits = UINT32_MAX},
    [SYSTEM_SYSENTER_EIP] = {.name = "sysenter_eip",
                             .msr = 0x176,
                             .there = {SYSENTER},
                             .pattern_bits = SYSTEM_CANONICAL,
                             .amd_pattern_bits = UINT32_MAX},
    [SYSTEM_PAT] = {.name = "pat", .msr = 0x277, .there = {PAGE_ATTRIBUTES}},
    [SYSTEM_XSS] = {.name = "xss", .msr = 0xda0, .there = {XSAVES}},
    [SYSTEM_DEBUGCTL] = {.name = "debugctl", .msr = 0x1d9, .is_left = true},
    [SYSTEM_SPEC_CTRL] = {.name = "spec_ctrl",
                          .msr = 0x48,
                          .there = {SPEC_CTRL_INTEL, SPEC_CTRL_AMD},
                          .is_left = true},
    [SYSTEM_PKRS] = {.name = "pkrs", .msr = 0x6e1, .there = {SUPERVISOR_KEYS}},
    [SYSTEM_U_CET] = {.name = "u_cet", .msr = 0x6a0, .there = {SHADOW_STACKS, BRANCH_TRACKING}},
    [SYSTEM_S_CET] = {.name = "s_cet", .msr = 0x6a2, .there = {SHADOW_STACKS, BRANCH_TRACKING}},
    [SYSTEM_PL0_SSP] = {.name = "pl0_ssp", .msr = 0x6a4, .there = {SHADOW_STACKS}},
    [SYSTEM_PL1_SSP] = {.name = "pl1_ssp", .msr = 0x6a5, .there = {SHADOW_STACKS}},
    [SYSTEM_PL2_SSP] = {.name = "pl2_ssp", .msr = 0x6a6, .there = {SHADOW_STACKS}},
    [SYSTEM_PL3_SSP] = {.name = "pl3_ssp", .msr = 0x6a7, .there = {SHADOW_STACKS}},
};
