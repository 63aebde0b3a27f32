/* SPDX-License-Identifier: BSD-2-Clause */
/* What an inventory may lack, in words. */
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/sense/inventory_parts.h"

static bool has_socket_without_holder(const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->sockets_count; i++) {
		if (!inventory->sockets[i].holders_count)
			return true;
	}
	return false;
}

/* Without hidepid=0 (proc(5)) other users' processes are not even denied: they are not there. */
static bool capable(unsigned int capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	return syscall(SYS_capget, &header, data) == 0 &&
	       data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

static void note_netns(const struct inventory *inventory, bool enters, char *text)
{
	const char *what = inventory->iterated ? "sockets that no process holds may be missing"
	                                       : "not every network namespace was examined";

	if (enters)
		(void)snprintf(text, INVENTORY_TEXT_LEN,
		               "%s: the kernel hides the network namespaces of %zu processes, in spite of CAP_SYS_PTRACE "
		               "and CAP_SYS_ADMIN",
		               what, inventory->netns_denied + inventory->netns_refused);
	else
		(void)snprintf(text, INVENTORY_TEXT_LEN,
		               "%s: to find and enter the network namespaces of other users takes CAP_SYS_PTRACE and "
		               "CAP_SYS_ADMIN",
		               what);
}

static void note_processes(const struct inventory *inventory, bool reads, char *text)
{
	if (reads)
		(void)snprintf(text, INVENTORY_TEXT_LEN,
		               "not every process was examined: the kernel hides the descriptors of %zu, in spite of "
		               "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
		               inventory->holders.denied);
	else
		(void)snprintf(text, INVENTORY_TEXT_LEN,
		               "not every process was examined: to see the sockets of other users' processes takes "
		               "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
}

bool inventory_note(const struct inventory *inventory, unsigned int number, char text[INVENTORY_TEXT_LEN])
{
	bool enters = capable(CAP_SYS_ADMIN) && capable(CAP_SYS_PTRACE),
	     reads = capable(CAP_SYS_PTRACE) && capable(CAP_DAC_READ_SEARCH);

	if ((inventory->netns_refused || inventory->netns_denied || !enters) && number-- == 0) {
		note_netns(inventory, enters, text);
		return true;
	}
	/* in /proc, and by the iterator, others are not even denied */
	if (!socket_iterator_sees_all() && number-- == 0) {
		(void)snprintf(
		        text, INVENTORY_TEXT_LEN,
		        "sockets of processes outside of this pid namespace may be missing, and their holders are: "
		        "run bindwatch in the host's pid namespace");
		return true;
	}
	if (!inventory->iterated && inventory->holders_searched && has_socket_without_holder(inventory) &&
	    (inventory->holders.denied || !reads) && number-- == 0) {
		note_processes(inventory, reads, text);
		return true;
	}
	if (!inventory->iterated && number-- == 0) {
		(void)snprintf(text, INVENTORY_TEXT_LEN,
		               "what is bound and does not listen may be missing: the kernel's iterator over "
		               "descriptors cannot be used: %.*s",
		               SOCKET_ITERATOR_WHY_LEN / 2, inventory->iterator_refusal);
		return true;
	}
	for (size_t i = 0; i < INVENTORY_PROTOCOLS; i++) {
		if (inventory->not_listed & 1U << i && number-- == 0) {
			(void)snprintf(text, INVENTORY_TEXT_LEN,
			               "%s sockets%s are missing: the kernel does not list them; load the module %s",
			               inventory_protocols[i].name, inventory->iterated ? " that no process holds" : "",
			               inventory_protocols[i].module);
			return true;
		}
	}
	if (inventory->changed && number-- == 0) {
		(void)snprintf(text, INVENTORY_TEXT_LEN,
		               "a socket may be missing or listed twice: sockets came and went while they were read");
		return true;
	}
	return false;
}
