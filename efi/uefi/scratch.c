/*
 * Keeps writes and reads in flight in the scratch partitions, and compares what comes back. Sizes
 * and the number of requests in flight vary.
 */
#include "../platform/scratch.h"
#include "../core/machine/clock.h"
#include "../core/report/events.h"
#include "../core/storage/block_pattern.h"
#include "../core/storage/latency.h"
#include "../core/storage/ring.h"
#include "../core/text.h"
#include "../platform/clock.h"
#include "../platform/instructions.h"
#include "../platform/pages.h"
#include "scratch_find.h"
#include <string.h>

#define PARTITIONS_MAX 8u

/* Of one request, and requests at once: as with reads of disks, more while they come back soon,
 * less where they are slow. */
#define REQUEST_BYTES_FIRST (UINT32_C(1) << 13)
#define REQUEST_BYTES_MAX   (UINT32_C(1) << 17)
#define DEPTH_FIRST         2u
#define SOON_MILLISECONDS   200u
#define SLOW_MILLISECONDS   500u

#define HELD_MILLISECONDS   1000u
#define ANSWER_MILLISECONDS 10000u
#define REST_MILLISECONDS   500u

/* After an error it is tried again, as disks are read again. */
#define ERRORS_MOST          12u
#define AGAIN_MILLISECONDS   1000u
#define AGAIN_DOUBLINGS_MOST 4u
#define ROWS_TOLD            4u

#define WRONG_KEPT 16u

/* Bytes of requests and numbers of them in flight, in turn: there are seven and five of them, so
 * that all pairs come. A size of 0 is that of one block. One slot is always left for a request of
 * the other kind. */
static const uint32_t sizes[] = {UINT32_C(1) << 16,      UINT32_C(1) << 13, 0,
                                 UINT32_C(1) << 17,      UINT32_C(1) << 12, UINT32_C(1) << 15,
                                 3 * (UINT32_C(1) << 15)};
static const uint32_t depths[] = {2, 7, 1, 5, 3};
#define SIZE_COUNT        (sizeof(sizes) / sizeof(sizes[0]))
#define DEPTH_COUNT       (sizeof(depths) / sizeof(depths[0]))
#define REQUESTS_OF_DEPTH 16u

struct request {
    EFI_BLOCK_IO2_TOKEN token;
    uint64_t begun, begun_at; /* ticks, milliseconds */
    uint64_t number;          /* of its kind, from 1 */
    bool late;
    uint64_t *buffer;
};

struct partition {
    struct scratch_place place;
    uint64_t first; /* block that may be written: what is before it stays */
    struct ring ring;
    struct request request[RING_SLOTS];
    uint32_t most_bytes; /* of a request, as things go; */
    uint32_t most_depth; /* and requests at once */
    uint64_t begun;      /* requests in all */
    struct scratch_requests counted[RING_READ + 1];
    struct latency latency[RING_READ + 1];
    uint64_t wrong;
    uint64_t slowest; /* of those that kept the boot vCPU too long, in milliseconds */
    uint32_t errors, rows;
    uint64_t error_at, again_at;
    bool dropped, stuck;
    bool gone; /* it was taken away with requests in flight: buffers may still be written to */
};

static struct {
    struct partition partition[PARTITIONS_MAX];
    uint32_t count;
    struct scratch_plan plan;
    struct scratch_activity activity;
    struct wrong_block wrong[WRONG_KEPT]; /* a ring, */
    uint32_t kept, taken;                 /* as its two ends */
} scratch;

static const char *const kind_names[] = {[RING_WRITE] = "write", [RING_READ] = "read"};

/* --- finding --- */

static bool make_events(struct partition *partition)
{
    EFI_BOOT_SERVICES *boot = system_table->BootServices;
    for (uint32_t slot = 0; slot < RING_SLOTS; slot++) {
        EFI_EVENT *event = &partition->request[slot].token.Event;
        if (!EFI_ERROR(boot->CreateEvent(0, TPL_APPLICATION, NULL, NULL, event)))
            continue;
        while (slot-- > 0)
            (void)boot->CloseEvent(partition->request[slot].token.Event);
        return false;
    }
    return true;
}

/* False: there is no memory for it. The first page stays: the signature is in it. */
static bool add(const struct scratch_place *place)
{
    struct partition *partition = &scratch.partition[scratch.count];
    uint8_t *buffers = pages_allocate((size_t)RING_SLOTS * REQUEST_BYTES_MAX);
    if (!buffers)
        return false;
    *partition = (struct partition){.place = *place,
                                    .first = PAGE_BYTES / place->device.block_bytes,
                                    .most_bytes = REQUEST_BYTES_FIRST,
                                    .most_depth = DEPTH_FIRST};
    ring_start(&partition->ring, place->device.last_block + 1 - partition->first);
    for (size_t slot = 0; slot < RING_SLOTS; slot++)
        partition->request[slot].buffer = (uint64_t *)(buffers + slot * REQUEST_BYTES_MAX);
    if (partition->place.device.queued && !make_events(partition))
        partition->place.device.queued = NULL;
    scratch.activity.blocking &= !partition->place.device.queued;
    scratch.count++;
    return true;
}

const char *scratch_find(const struct scratch_plan *plan)
{
    struct scratch_place place[PARTITIONS_MAX];
    const char *reason;
    uint32_t count = scratch_places(place, PARTITIONS_MAX, &reason);
    scratch.plan = *plan;
    scratch.activity.blocking = true;
    atomic_store_explicit(&scratch.activity.over, false, memory_order_relaxed);
    for (uint32_t n = 0; n < count; n++)
        if (!add(&place[n]))
            reason = "not enough memory for what is written";
    return scratch.count ? NULL : reason;
}

const struct scratch_activity *scratch_activity(void)
{
    return &scratch.activity;
}

/* --- telling --- */

/* "scratch 0: ..." */
__attribute__((format(printf, 2, 3))) static void tell(const struct partition *partition,
                                                       const char *format, ...)
{
    char buffer[240];
    struct text text;
    va_list arguments;
    text_start(&text, buffer, sizeof(buffer));
    text_add(&text, "scratch %lu: ", (uint64_t)(partition - scratch.partition));
    va_start(arguments, format);
    text_add_list(&text, format, arguments);
    va_end(arguments);
    event_notice(buffer);
}

static uint64_t block_of(const struct partition *partition, uint32_t slot)
{
    return partition->first + ring_block(&partition->ring, partition->ring.flight[slot].at);
}

static uint64_t bytes_of(const struct partition *partition, uint32_t slot)
{
    return (uint64_t)partition->ring.flight[slot].blocks * partition->place.device.block_bytes;
}

static const char *kind_of(const struct partition *partition, uint32_t slot)
{
    return kind_names[partition->ring.flight[slot].kind];
}

static bool in_flight(const struct partition *partition, uint32_t slot)
{
    return partition->ring.flight[slot].kind != RING_FREE;
}

/* --- what is written and what comes back --- */

static struct block_key key_of(const struct partition *partition, uint32_t slot)
{
    const struct ring *ring = &partition->ring;
    return (struct block_key){scratch.plan.run, scratch.plan.vcpu,
                              ring_generation(ring, ring->flight[slot].at)};
}

static void keep_wrong(struct partition *partition, uint32_t slot, struct wrong_block *wrong)
{
    partition->wrong++;
    wrong->partition = (uint32_t)(partition - scratch.partition);
    wrong->request = partition->request[slot].number;
    if (scratch.kept - scratch.taken < WRONG_KEPT)
        scratch.wrong[scratch.kept++ % WRONG_KEPT] = *wrong;
}

/* Each block of the request, and where it is in the buffer. */
static uint64_t *block_at(const struct partition *partition, uint32_t slot, uint32_t n)
{
    return partition->request[slot].buffer + (size_t)n * (partition->place.device.block_bytes / 8);
}

static void fill(const struct partition *partition, uint32_t slot)
{
    const struct block_key key = key_of(partition, slot);
    for (uint32_t n = 0; n < partition->ring.flight[slot].blocks; n++)
        block_fill(block_at(partition, slot, n), partition->place.device.block_bytes, &key,
                   block_of(partition, slot) + n);
}

static void compare(struct partition *partition, uint32_t slot)
{
    const struct block_key key = key_of(partition, slot);
    struct wrong_block wrong;
    for (uint32_t n = 0; n < partition->ring.flight[slot].blocks; n++)
        if (!block_compare(block_at(partition, slot, n), partition->place.device.block_bytes, &key,
                           block_of(partition, slot) + n, &wrong))
            keep_wrong(partition, slot, &wrong);
}

bool scratch_next_wrong(struct wrong_block *wrong)
{
    if (scratch.kept == scratch.taken)
        return false;
    *wrong = scratch.wrong[scratch.taken++ % WRONG_KEPT];
    return true;
}

uint64_t scratch_wrong_blocks(void)
{
    uint64_t count = 0;
    for (uint32_t n = 0; n < scratch.count; n++)
        count += scratch.partition[n].wrong;
    return count;
}

/* --- the end of a request --- */

static void failed(struct partition *partition, uint32_t slot, EFI_STATUS status, bool again)
{
    const char *lost = block_device_lost(status);
    uint64_t now = clock_milliseconds();
    uint32_t doublings =
        partition->errors < AGAIN_DOUBLINGS_MOST ? partition->errors : AGAIN_DOUBLINGS_MOST;
    if (partition->errors++ == 0) {
        partition->error_at = now;
        partition->rows++;
    }
    partition->again_at = now + (AGAIN_MILLISECONDS << doublings);
    bool dropped = lost || !again || partition->errors > ERRORS_MOST;
    if ((partition->errors == 1 && partition->rows <= ROWS_TOLD) || dropped > partition->dropped)
        tell(partition, "the %s of %lu bytes at block %lu failed (%s): it is %s%s",
             kind_of(partition, slot), bytes_of(partition, slot), block_of(partition, slot),
             status_name(status), dropped ? "left alone from now on" : "tried again",
             lost ? lost : "");
    partition->dropped |= dropped;
}

static void adapt(struct partition *partition, uint64_t took)
{
    if (took < SOON_MILLISECONDS) {
        partition->most_bytes *= partition->most_bytes < REQUEST_BYTES_MAX ? 2 : 1;
        partition->most_depth += partition->most_depth < RING_SLOTS;
    } else if (took > SLOW_MILLISECONDS) {
        partition->most_bytes /=
            partition->most_bytes / 2 >= partition->place.device.block_bytes ? 2 : 1;
        partition->most_depth -= partition->most_depth > 1;
    }
}

static void succeeded(struct partition *partition, uint32_t slot)
{
    const struct request *request = &partition->request[slot];
    enum ring_kind kind = partition->ring.flight[slot].kind;
    struct scratch_requests *counted = &partition->counted[kind];
    uint64_t ticks = rdtsc(), took = clock_milliseconds() - request->begun_at;
    uint64_t per_ms = scratch.plan.tsc_hz / 1000 ? scratch.plan.tsc_hz / 1000 : 1;
    if (partition->errors && partition->rows <= ROWS_TOLD)
        tell(partition, "it can be used again, after %lu ms and %u errors",
             clock_milliseconds() - partition->error_at, partition->errors);
    else if (request->late)
        tell(partition, "the %s came back after %lu ms", kind_names[kind], took);
    partition->errors = 0;
    counted->count++;
    counted->bytes += bytes_of(partition, slot);
    if (ticks > request->begun)
        latency_add(&partition->latency[kind],
                    (ticks - request->begun) / per_ms * 1000 +
                        (ticks - request->begun) % per_ms * 1000 / per_ms);
    if (kind == RING_READ)
        compare(partition, slot);
    adapt(partition, took);
}

/* `again`: it may be tried again, as the storage may be back then. */
static void ended(struct partition *partition, uint32_t slot, EFI_STATUS status, bool again)
{
    if (EFI_ERROR(status))
        failed(partition, slot, status, again);
    else
        succeeded(partition, slot);
    /* More failed writes than can be kept in mind. */
    if (!ring_end(&partition->ring, slot, !EFI_ERROR(status)))
        partition->dropped = true;
    partition->request[slot].late = false;
}

/* --- requests --- */

/* What the vCPUs see. */
static void publish(void)
{
    uint32_t writes = 0, mixed = 0;
    for (uint32_t n = 0; n < scratch.count; n++) {
        uint32_t w = ring_count(&scratch.partition[n].ring, RING_WRITE);
        uint32_t r = ring_count(&scratch.partition[n].ring, RING_READ);
        writes += w;
        mixed += w < r ? w : r;
    }
    atomic_store_explicit(&scratch.activity.writes, writes, memory_order_relaxed);
    atomic_store_explicit(&scratch.activity.mixed, mixed, memory_order_relaxed);
}

/* False: there is none of that kind to be made. */
static bool prepare(struct partition *partition, uint32_t slot, enum ring_kind kind)
{
    uint32_t bytes = sizes[partition->begun % SIZE_COUNT],
             block = partition->place.device.block_bytes;
    bytes = bytes < partition->most_bytes ? bytes : partition->most_bytes;
    if (!ring_begin(&partition->ring, slot, kind, bytes / block ? bytes / block : 1))
        return false;
    struct request *request = &partition->request[slot];
    struct scratch_requests *counted = &partition->counted[kind];
    uint32_t count = ring_count(&partition->ring, kind);
    partition->begun++;
    request->number = counted->count + count;
    if (count > counted->most)
        counted->most = count;
    if (kind == RING_WRITE)
        fill(partition, slot);
    else /* what a read that reads nothing leaves there must not pass */
        memset(request->buffer, 0, bytes_of(partition, slot));
    request->begun = rdtsc();
    request->begun_at = clock_milliseconds();
    return true;
}

static EFI_STATUS transfer(const struct partition *partition, uint32_t slot,
                           EFI_BLOCK_IO2_TOKEN *token)
{
    const struct block_transfer of_slot = {.write = partition->ring.flight[slot].kind == RING_WRITE,
                                           .block = block_of(partition, slot),
                                           .bytes = bytes_of(partition, slot),
                                           .buffer = partition->request[slot].buffer,
                                           .token = token};
    return block_device_transfer(&partition->place.device, &of_slot);
}

static void begin(struct partition *partition, uint32_t slot)
{
    struct request *request = &partition->request[slot];
    request->token.TransactionStatus = EFI_SUCCESS;
    EFI_STATUS status = transfer(partition, slot, &request->token);
    if (EFI_ERROR(status))
        ended(partition, slot, status, true);
}

/* Told again only where it gets worse. */
static void tell_held(struct partition *partition, const char *kind, uint64_t milliseconds)
{
    if (milliseconds < 2 * partition->slowest)
        return;
    partition->slowest = milliseconds;
    tell(partition, "a %s kept the firmware, and the boot vCPU with it, for %lu ms", kind,
         milliseconds);
}

/* Without Block I/O 2. True if it took too long. */
static bool do_and_wait(struct partition *partition, uint32_t slot, bool mixed)
{
    const struct request *request = &partition->request[slot];
    bool write = partition->ring.flight[slot].kind == RING_WRITE;
    publish();
    atomic_store_explicit(&scratch.activity.mixed, mixed, memory_order_relaxed);
    EFI_STATUS status = transfer(partition, slot, NULL);
    uint64_t took = clock_milliseconds() - request->begun_at;
    bool held = took >= HELD_MILLISECONDS;
    if (held)
        tell_held(partition, write ? "write" : "read", took);
    ended(partition, slot, status, !held);
    return held;
}

/* One that is gone does not end what was in flight. */
static void look_late(struct partition *partition, uint32_t slot)
{
    struct request *request = &partition->request[slot];
    if (!block_device_is_there(&partition->place.device, true)) {
        partition->gone = true;
        for (uint32_t other = 0; other < RING_SLOTS; other++)
            if (in_flight(partition, other))
                ended(partition, other, EFI_NO_MEDIA, false);
    } else if (!request->late) {
        request->late = true;
        tell(partition,
             "the %s of %lu bytes at block %lu has not come back for %u s: it is waited for",
             kind_of(partition, slot), bytes_of(partition, slot), block_of(partition, slot),
             ANSWER_MILLISECONDS / 1000);
    }
}

/* The event is signalled when the request has ended; looking at it resets it (UEFI 2.10, 7.1.6). */
static void take_ended(struct partition *partition, uint32_t slot)
{
    struct request *request = &partition->request[slot];
    EFI_STATUS status = system_table->BootServices->CheckEvent(request->token.Event);
    if (status != EFI_NOT_READY) {
        ended(partition, slot, EFI_ERROR(status) ? status : request->token.TransactionStatus, true);
    } else if (clock_milliseconds() - request->begun_at >= ANSWER_MILLISECONDS) {
        look_late(partition, slot);
    }
}

static void take_all(struct partition *partition)
{
    for (uint32_t slot = 0; slot < RING_SLOTS; slot++)
        if (in_flight(partition, slot))
            take_ended(partition, slot);
}

static bool rests(const struct partition *partition)
{
    return partition->dropped || (partition->errors && clock_milliseconds() < partition->again_at);
}

/* Of the kind that is wanted, or else of the other one, if that will do. */
static bool prepare_next(struct partition *partition, uint32_t slot, enum scratch_work work)
{
    if (work == SCRATCH_WRITES && !ring_is_full(&partition->ring) &&
        prepare(partition, slot, RING_WRITE))
        return true;
    enum ring_kind kind = ring_next(&partition->ring);
    return prepare(partition, slot, kind) ||
           prepare(partition, slot, kind == RING_READ ? RING_WRITE : RING_READ);
}

/* How many more: as the depth has it, but whatever it is, one of each kind that is wanted. */
static uint32_t lacking(const struct partition *partition, enum scratch_work work)
{
    uint32_t writes = ring_count(&partition->ring, RING_WRITE);
    uint32_t reads = ring_count(&partition->ring, RING_READ);
    uint32_t depth = depths[partition->begun / REQUESTS_OF_DEPTH % DEPTH_COUNT];
    depth = depth < partition->most_depth ? depth : partition->most_depth;
    uint32_t least = (writes == 0) + (work == SCRATCH_MIXED && reads == 0);
    uint32_t more = depth > writes + reads ? depth - writes - reads : 0;
    return more < least ? least : more;
}

static void begin_some(struct partition *partition, enum scratch_work work)
{
    uint32_t free = lacking(partition, work);
    for (uint32_t slot = 0; slot < RING_SLOTS && free && !rests(partition); slot++) {
        if (in_flight(partition, slot))
            continue;
        if (!prepare_next(partition, slot, work))
            break;
        begin(partition, slot);
        free--;
    }
}

/* A write, and then a read. */
static bool do_some(struct partition *partition, enum scratch_work work)
{
    bool held = false, mixed = work == SCRATCH_MIXED || ring_is_full(&partition->ring);
    if (prepare(partition, 0, RING_WRITE))
        held = do_and_wait(partition, 0, mixed);
    if (mixed && !held && !rests(partition) && prepare(partition, 0, RING_READ))
        held = do_and_wait(partition, 0, true);
    return held;
}

/* The first write is waited for in any case: then there is something to be read from the start. */
bool scratch_poll(enum scratch_work work)
{
    bool left = false, held = false;
    for (uint32_t n = 0; n < scratch.count; n++) {
        struct partition *partition = &scratch.partition[n];
        take_all(partition);
        if (!rests(partition) && partition->place.device.queued && partition->begun)
            begin_some(partition, work);
        else if (!rests(partition))
            held |= do_some(partition, work);
        left |= !partition->dropped;
    }
    publish();
    atomic_store_explicit(&scratch.activity.over, !left, memory_order_relaxed);
    return held;
}

/* --- the end --- */

/* True: nothing is in flight. */
static bool wait_for(struct partition *partition, uint64_t since, uint64_t milliseconds, bool late)
{
    bool all = true;
    for (uint32_t slot = 0; slot < RING_SLOTS; slot++) {
        while (in_flight(partition, slot) && (late || !partition->request[slot].late) &&
               clock_milliseconds() - since < milliseconds) {
            clock_wait(1);
            take_ended(partition, slot);
        }
        all &= !in_flight(partition, slot);
    }
    return all;
}

bool scratch_rest(void)
{
    uint64_t since = clock_milliseconds();
    bool all = true;
    for (uint32_t n = 0; n < scratch.count; n++)
        all &= wait_for(&scratch.partition[n], since, REST_MILLISECONDS, false);
    publish();
    return all;
}

bool scratch_stop(void)
{
    uint64_t since = clock_milliseconds();
    bool all = true;
    for (uint32_t n = 0; n < scratch.count; n++) {
        struct partition *partition = &scratch.partition[n];
        if (!wait_for(partition, since, ANSWER_MILLISECONDS, true)) {
            partition->stuck = true;
            tell(partition, "%u requests do not come back",
                 ring_count(&partition->ring, RING_WRITE) +
                     ring_count(&partition->ring, RING_READ));
        }
        all &= !partition->stuck;
    }
    return all;
}

static struct scratch_requests result_of(const struct partition *partition, enum ring_kind kind)
{
    struct scratch_requests result = partition->counted[kind];
    result.median_us = latency_median(&partition->latency[kind]);
    result.worst_us = partition->latency[kind].worst;
    return result;
}

bool scratch_result(uint32_t number, struct scratch_result *result)
{
    const struct partition *partition = &scratch.partition[number];
    if (number >= scratch.count)
        return false;
    *result = (struct scratch_result){
        .block_bytes = partition->place.device.block_bytes,
        .blocks = partition->place.device.last_block + 1,
        .by = partition->place.device.queued ? "block-io-2" : "block-io",
        .waiting = partition->place.device.queued == NULL,
        .failed = partition->dropped || partition->stuck || partition->errors > 1,
        .wrong = partition->wrong,
        .writes = result_of(partition, RING_WRITE),
        .reads = result_of(partition, RING_READ),
    };
    return true;
}

void scratch_free(void)
{
    for (uint32_t n = 0; n < scratch.count; n++) {
        const struct partition *partition = &scratch.partition[n];
        if (partition->gone) /* nor are the events given back, as with disks */
            continue;
        for (uint32_t slot = 0; partition->place.device.queued && slot < RING_SLOTS; slot++)
            (void)system_table->BootServices->CloseEvent(partition->request[slot].token.Event);
        pages_give_back(partition->request[0].buffer, (size_t)RING_SLOTS * REQUEST_BYTES_MAX);
    }
    scratch.count = 0;
}
