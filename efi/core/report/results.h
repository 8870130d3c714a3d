/* What a run hands to its report, as data. */
#ifndef ZMMTEST_CORE_REPORT_RESULTS_H
#define ZMMTEST_CORE_REPORT_RESULTS_H

#include "../../platform/scratch.h"
#include "../diagnosis/signatures.h"
#include "../machine/machine.h"
#include "../window/finding.h"
#include "../window/system.h"
#include "verdict.h"
#include <stdbool.h>
#include <stdint.h>

struct run_identity {
    const char *version, *commit;
    uint32_t run;
    uint64_t seed;
    uint32_t boot; /* number of the run on the boot volume; 0: it is not counted */
    uint32_t
        without_end; /* of the run before it on the volume, if that came to no end; 0: it did */
};

/* What the self-test came to. */
struct selftest {
    uint32_t planted, named;
    uint32_t repeated; /* attempts beyond the first: something not planted came in between */
    char missed[96];   /* the first that was not named right; "" if all were */
};

/* A finding with its meaning, in words as well; a sink that keeps it copies what it needs. */
struct found {
    const struct finding *finding;
    const struct diagnosis *diagnosis;
    const struct signature *signature; /* the known bug that leaves such a trace; NULL: none */
    const char *exit_name;             /* of the finding's exit */
    uint64_t number;                   /* which finding this is, from 1 */
    bool told_before;                  /* what it means, of another such finding */
    char components[DIAGNOSIS_TEXT], registers[DIAGNOSIS_TEXT], bits[DIAGNOSIS_TEXT];
};

/* A block of a scratch partition that came back wrong. */
struct found_block {
    const struct wrong_block *wrong;
    const char *exit_name; /* an exit that writes */
    uint64_t number;       /* as of all findings */
};

/* What the findings of a run looked like. */
struct known {
    uint64_t signatures; /* a bit for each row of their table, */
    uint64_t real;       /* and for those that nobody planted */
    uint64_t classes;    /* of findings without a signature */
    /* Of those that nobody planted: a single bit flipped; else only state of AVX-512 was hit, or
     * more than that. */
    bool bit_flips, avx512, beyond_avx512;
};

struct exit_result {
    const char *name;
    uint64_t rounds, findings;
    uint64_t cycles_min, cycles_median; /* 0: not timed */
    uint64_t live_cycles, slice_cycles; /* of all vCPUs */
    bool holds;                         /* of which the report tells that share */
    bool injected;                      /* the row of faults that zmmtest plants itself */
    bool takes_interrupts;
    uint64_t interrupts; /* taken in its rounds, with every register live */
    enum leaves leaves;  /* whether its event left the guest, */
    uint64_t stayed;     /* and the rounds in which it did not, as far as is known */
    bool passed_through; /* which is known of its port; else by its cycles */
};

/* What became of a component of XSAVE in the rounds by XSAVE. */
struct component_result {
    uint32_t bit, size;
    uint64_t rounds, findings;
    const char *reason; /* why it was not tested; NULL: it was */
};

/* What became of the system registers, on all vCPUs: SYSTEM_BIT each. */
struct system_result {
    uint64_t compared, patterned;     /* the latter of the former */
    uint64_t comparisons;             /* of all of them */
    uint64_t changed_outside;         /* without a pattern, while the firmware ran */
    const char *reason[SYSTEM_COUNT]; /* why one is not compared; NULL: it is */
};

/* The time for which all registers were live, and were compared afterwards, on all vCPUs. */
struct exposure {
    uint64_t milliseconds;
    uint32_t permille;       /* of the run's time, */
    uint32_t permille_least; /* and on the vCPU on which it is least, */
    uint32_t least_on;       /* this one */
};

/* What was found that nobody planted: how often, where, and how to see it again. */
struct again {
    uint64_t findings;   /* and wrong blocks; 0: there is none, and nothing else is set */
    const char *exits;   /* "hold, copy"; NULL: before the first exit */
    const char *vcpus;   /* "0-2,5"; NULL: too many for a list, or it was no vCPU's */
    const char *options; /* for a run of just that, */
    uint64_t seconds;    /* and how long 19 of 20 such runs take at the most to find it again */
};

struct outcome {
    enum verdict verdict;
    const char *reason; /* of the verdict, in words */
    uint64_t rounds, findings, milliseconds;
    uint64_t planted, injected; /* faults of our own, and findings of them */
    uint64_t stayed;            /* rounds that did not leave the guest, as far as is known */
    const char *stayed_exits; /* the exits of which none did, "hpet, rdpmc"; NULL: there are none */
    uint64_t wrong_blocks;    /* of scratch partitions: beside the findings */
    uint32_t vcpus;
    bool control_run;   /* no hypervisor seen: nothing beneath to blame */
    const char *hidden; /* what says that there is one all the same; "": nothing does */
    enum hypervisor_kind hypervisor;
    bool avx512; /* it was tested */
    struct exposure exposure;
    const char *system;  /* the operating system beneath; "": none */
    const char *changes; /* of the machine during the run, in words; NULL: none */
    const struct known *known;
    struct again again;
};

#endif
