/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/event_words.h"

#include <linux/capability.h>
#include <linux/types.h> /* before the contract with the kernel side, which includes nothing */
#include <string.h>

#include "bpf/bindwatch.h"
#include "user/base/event.h"

/* Younger than some distributions' <linux/capability.h>: include/uapi/linux/capability.h. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

struct word {
	const char *name;
	uint32_t value;
};

/* clang-format off */
static const struct word actions[] = {
	{"bound-socket", EVENT_BOUND},
	{"listen-for-connections", EVENT_LISTEN},
	{"closed-socket", EVENT_CLOSED},
	{"existing-socket", EVENT_EXISTING},
	{"lost", EVENT_LOST},
	{"hook-silent", EVENT_SILENT},
};

static const struct word verdicts[] = {
	{"expect", VERDICT_EXPECT},
	{"ignore", VERDICT_IGNORE},
	{"alert", VERDICT_ALERT},
};

static const struct word severities[] = {
	{"informational", SEVERITY_INFORMATIONAL},
	{"low", SEVERITY_LOW},
	{"medium", SEVERITY_MEDIUM},
	{"high", SEVERITY_HIGH},
	{"critical", SEVERITY_CRITICAL},
};

static const struct word exposures[] = {
	{"loopback", EXPOSURE_LOOPBACK},
	{"wildcard", EXPOSURE_WILDCARD},
	{"address", EXPOSURE_ADDRESS},
};

static const struct word executable_flags[] = {
	{"memfd", EXECUTABLE_MEMFD},
	{"deleted", EXECUTABLE_DELETED},
	{"replaced", EXECUTABLE_REPLACED},
	{"overlay-upper", EXECUTABLE_OVERLAY_UPPER},
	{"world-writable", EXECUTABLE_WORLD_WRITABLE},
	{"modified", EXECUTABLE_MODIFIED},
};

static const struct word patterns[] = {
	{"second-owner", PATTERN_SECOND_OWNER},
	{"sweep", PATTERN_SWEEP},
	{"takeover", PATTERN_TAKEOVER},
};

static const struct word runtimes[] = {
	{"docker", RUNTIME_DOCKER},
	{"containerd", RUNTIME_CONTAINERD},
	{"cri-o", RUNTIME_CRIO},
	{"podman", RUNTIME_PODMAN},
	{"lxc", RUNTIME_LXC},
	{"systemd-nspawn", RUNTIME_SYSTEMD_NSPAWN},
};

#define CAPABILITY(name) {#name, name}
static const struct word capabilities[] = {
	CAPABILITY(CAP_CHOWN), CAPABILITY(CAP_DAC_OVERRIDE), CAPABILITY(CAP_DAC_READ_SEARCH), CAPABILITY(CAP_FOWNER),
	CAPABILITY(CAP_FSETID), CAPABILITY(CAP_KILL), CAPABILITY(CAP_SETGID), CAPABILITY(CAP_SETUID),
	CAPABILITY(CAP_SETPCAP), CAPABILITY(CAP_LINUX_IMMUTABLE), CAPABILITY(CAP_NET_BIND_SERVICE),
	CAPABILITY(CAP_NET_BROADCAST), CAPABILITY(CAP_NET_ADMIN), CAPABILITY(CAP_NET_RAW), CAPABILITY(CAP_IPC_LOCK),
	CAPABILITY(CAP_IPC_OWNER), CAPABILITY(CAP_SYS_MODULE), CAPABILITY(CAP_SYS_RAWIO), CAPABILITY(CAP_SYS_CHROOT),
	CAPABILITY(CAP_SYS_PTRACE), CAPABILITY(CAP_SYS_PACCT), CAPABILITY(CAP_SYS_ADMIN), CAPABILITY(CAP_SYS_BOOT),
	CAPABILITY(CAP_SYS_NICE), CAPABILITY(CAP_SYS_RESOURCE), CAPABILITY(CAP_SYS_TIME),
	CAPABILITY(CAP_SYS_TTY_CONFIG), CAPABILITY(CAP_MKNOD), CAPABILITY(CAP_LEASE), CAPABILITY(CAP_AUDIT_WRITE),
	CAPABILITY(CAP_AUDIT_CONTROL), CAPABILITY(CAP_SETFCAP), CAPABILITY(CAP_MAC_OVERRIDE), CAPABILITY(CAP_MAC_ADMIN),
	CAPABILITY(CAP_SYSLOG), CAPABILITY(CAP_WAKE_ALARM), CAPABILITY(CAP_BLOCK_SUSPEND), CAPABILITY(CAP_AUDIT_READ),
	CAPABILITY(CAP_PERFMON), CAPABILITY(CAP_BPF), CAPABILITY(CAP_CHECKPOINT_RESTORE),
};

static const struct word transports[] = {
	{"tcp", REGISTRY_TCP},
	{"udp", REGISTRY_UDP},
	{"sctp", REGISTRY_SCTP},
	{"dccp", REGISTRY_DCCP},
};

static const struct word states[] = {
	{"assigned", REGISTRY_ASSIGNED},
	{"unassigned", REGISTRY_UNASSIGNED},
	{"reserved", REGISTRY_RESERVED},
	{"deassigned", REGISTRY_DEASSIGNED},
	{"de-assigned", REGISTRY_DEASSIGNED}, /* as outputs spell it */
	{"not-listed", REGISTRY_NOT_LISTED},
};

static const struct word classes[] = {
	{"privileged", EVENT_CLASS_PRIVILEGED},
	{"system", REGISTRY_SYSTEM},
	{"user", REGISTRY_USER},
	{"dynamic", REGISTRY_DYNAMIC},
};

static const struct word choices[] = {
	{"requested", 0},
	{"ephemeral", 1},
};

static const struct word outcomes[] = {
	{"success", 0},
	{"failure", 1},
};

static const struct word socket_flags[] = {
	{"reuseport", BW_SOCKET_REUSEPORT},
	{"reuseaddr", BW_SOCKET_REUSEADDR},
	{"freebind", BW_SOCKET_FREEBIND},
	{"transparent", BW_SOCKET_TRANSPARENT},
	{"v6only", BW_SOCKET_V6ONLY},
	{"device", EVENT_SOCKET_DEVICE},
	{"kernel", BW_SOCKET_KERNEL},
};

static const struct word answers[] = {
	{"yes", 1},
	{"no", 0},
};

static const struct word holders[] = {
	{"none", 0},
	{"some", 1},
};

#define TABLE(words) {words, sizeof(words) / sizeof((words)[0])}
static const struct {
	const struct word *words;
	size_t count;
} tables[EVENT_WORDS] = {
	[WORDS_ACTION] = TABLE(actions),
	[WORDS_VERDICT] = TABLE(verdicts),
	[WORDS_SEVERITY] = TABLE(severities),
	[WORDS_EXPOSURE] = TABLE(exposures),
	[WORDS_EXECUTABLE_FLAG] = TABLE(executable_flags),
	[WORDS_PATTERN] = TABLE(patterns),
	[WORDS_RUNTIME] = TABLE(runtimes),
	[WORDS_CAPABILITY] = TABLE(capabilities),
	[WORDS_TRANSPORT] = TABLE(transports),
	[WORDS_STATE] = TABLE(states),
	[WORDS_CLASS] = TABLE(classes),
	[WORDS_CHOICE] = TABLE(choices),
	[WORDS_OUTCOME] = TABLE(outcomes),
	[WORDS_SOCKET_FLAG] = TABLE(socket_flags),
	[WORDS_ANSWER] = TABLE(answers),
	[WORDS_HOLDERS] = TABLE(holders),
};
/* clang-format on */

bool event_word_find(enum event_words words, const char *word, uint32_t *ret)
{
	for (size_t i = 0; i < tables[words].count; i++) {
		if (strcmp(tables[words].words[i].name, word) != 0)
			continue;
		*ret = tables[words].words[i].value;
		return true;
	}
	return false;
}

const char *event_word_name(enum event_words words, uint32_t value)
{
	for (size_t i = 0; i < tables[words].count; i++) {
		if (tables[words].words[i].value == value)
			return tables[words].words[i].name;
	}
	return NULL;
}

const char *event_word_at(enum event_words words, size_t index, uint32_t *ret_value)
{
	if (index >= tables[words].count)
		return NULL;
	*ret_value = tables[words].words[index].value;
	return tables[words].words[index].name;
}
