/* One call of VMware's backdoor. Apart from the rest, so that host tests can answer it themselves.
 */
#include "hypervisor.h"

void backdoor_call(struct backdoor *r)
{
    r->eax = BACKDOOR_MAGIC;
    r->edx |= BACKDOOR_PORT;
    __asm__ volatile("inl %%dx, %%eax"
                     : "+a"(r->eax), "+b"(r->ebx), "+c"(r->ecx), "+d"(r->edx), "+S"(r->esi),
                       "+D"(r->edi)
                     :
                     : "memory", "cc");
}
