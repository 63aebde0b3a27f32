# SPDX-License-Identifier: BSD-2-Clause
#
#   make            build/bindwatch
#   make deps       what the build and the tests need, by apt or dnf
#   make run        deps, build, then the live view
#   make check      deps, build, every test (with the sanitizers, too)
#   make fuzz       [SECONDS=60] each fuzz harness under libFuzzer for so long, with the sanitizers; needs clang
#   make check-vm   the live tests on a row of kernels, each booted under QEMU, under every plan
#   make bench      the figures that the README quotes
#   make install    DESTDIR= PREFIX=
#   make clean
#
# V=1 prints the commands, WERROR=1 makes warnings errors, CC=clang builds with clang, B=DIR builds into another folder,
# SANITIZE=1 into build/sanitize with ASan and UBSan.

V ?= 0
SANITIZE ?= 0
SECONDS ?= 60
WERROR ?= 0
PREFIX ?= /usr/local
DESTDIR ?=
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
# where the program looks for it, whatever PREFIX: user/judge/policy.h
POLICYDIR := /usr/lib/bindwatch/policy.d
CLANG ?= clang
PKG_CONFIG ?= pkg-config
# Debian and Fedora install it outside of a user's PATH; Ubuntu's is a wrapper that wants the running kernel's own
BPFTOOL ?= $(firstword $(wildcard /usr/lib/linux-tools/*/bpftool /usr/sbin/bpftool /sbin/bpftool) bpftool)

VERSION := 0.1.0

ifeq ($(SANITIZE),1)
B := build/sanitize
SANITIZE_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifeq ($(FUZZ),1)
# only `make fuzz` sets it
B := build/fuzz
SANITIZE_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else
B := build
endif

ifeq ($(V),1)
Q :=
say := @:
else
Q := @
say = @printf '  %-8s %s\n' $(1) $(2)
endif

# --- what is built of what --------------------------------------------------------------------------------------

ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')

SOURCES := $(sort $(wildcard registry/*.c user/*.c user/*/*.c))
OBJECTS := $(SOURCES:%.c=$(B)/%.o) $(B)/registry/embedded.o $(B)/user/judge/policy_embedded.o
LIBRARY := $(filter-out $(B)/user/main.o,$(OBJECTS))

UNIT := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c)))
LIVE := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/live/test_*.c)))
LIVE_TOOLS := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/live/tool_*.c)))
FUZZERS := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SHARED := $(B)/tests/fuzz/fuzz.o $(B)/tests/fuzz/event.o
BENCH := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/bench/bench_*.c)))
LIVE_SHARED := $(patsubst %.c,$(B)/%.o,$(filter-out tests/live/test_%.c tests/live/tool_%.c,$(wildcard tests/live/*.c)))
LIVE_WATCH := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/live/watch/*.c)))

PACKAGES := libbpf libelf zlib nettle inih jansson
# where librpm is here, the packages of an rpm system are told, too
ifeq ($(shell $(PKG_CONFIG) --exists rpm 2>/dev/null && echo yes),yes)
PACKAGES += rpm
override CPPFLAGS += -DHAVE_RPM
endif
PACKAGES_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
PACKAGES_LIBS = $(shell $(PKG_CONFIG) --libs $(PACKAGES))
TEST_CFLAGS = $(shell $(PKG_CONFIG) --cflags cmocka)
TEST_LIBS = $(shell $(PKG_CONFIG) --libs cmocka) -lpthread

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wvla -Wformat=2 -Wundef
ifeq ($(WERROR),1)
WARNINGS += -Werror
endif
override CFLAGS += -std=gnu11 -pthread $(WARNINGS) $(SANITIZE_FLAGS)
override CPPFLAGS += -I. -I$(B) -D_GNU_SOURCE -DBINDWATCH_VERSION='"$(VERSION)"'

# BPF_PROG() and its kin name parameters that not every program uses
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Wno-unused-parameter $(filter -Werror,$(WARNINGS)) -D__TARGET_ARCH_$(ARCH) -I.

.PHONY: all run check check-unit check-fuzz check-live check-vm fuzz bench deps install clean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/bindwatch

$(B)/bindwatch: $(B)/user/main.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PACKAGES_LIBS)

$(B)/%.o: %.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(PACKAGES_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/registry/embedded.o: registry/embedded.S registry/snapshot.iana
	$(call say,AS,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -c -o $@ $<

# the vendor's policy: each file's name and text with a NUL behind them. The list is written anew only where it changed
POLICY_FILES := $(sort $(wildcard packaging/policy.d/*.conf))

$(B)/user/judge/policy_embedded.S: FORCE
	@mkdir -p $(@D)
	@{ printf '\t.section .rodata\n\t.global policy_embedded, policy_embedded_end\npolicy_embedded:\n'; \
	for file in $(POLICY_FILES); do \
		printf '\t.asciz "%s"\n\t.incbin "%s"\n\t.byte 0\n' "$${file##*/}" "$$file"; \
	done; \
	printf 'policy_embedded_end:\n\t.byte 0\n\t.section .note.GNU-stack, "", %%progbits\n'; } >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

FORCE:
.PHONY: FORCE

$(B)/user/judge/policy_embedded.o: $(B)/user/judge/policy_embedded.S $(POLICY_FILES)
	$(call say,AS,$@)
	$(Q)$(CC) -c -o $@ $<

# bpf/*.bpf.c -> object -> linked object -> skeleton
BPF := $(patsubst bpf/%.bpf.c,%,$(wildcard bpf/*.bpf.c))

$(BPF:%=$(B)/bpf/%.compiled.o): $(B)/bpf/%.compiled.o: bpf/%.bpf.c
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(PACKAGES_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(BPF:%=$(B)/bpf/%.bpf.o): $(B)/bpf/%.bpf.o: $(B)/bpf/%.compiled.o
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $<

$(BPF:%=$(B)/bpf/%.skel.h): $(B)/bpf/%.skel.h: $(B)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# a skeleton must be there before its loader is compiled for the first time; later the .d file says so
$(B)/user/sense/loader.o $(B)/user/sense/sense.o $(B)/user/sense/unfinished.o: $(B)/bpf/bindwatch.skel.h
$(B)/user/sense/socket_iterator.o: $(B)/bpf/inventory.skel.h
$(B)/user/sense/unheld.o: $(B)/bpf/unheld.skel.h

# --- tests --------------------------------------------------------------------------------------------------------

$(LIVE) $(BENCH): $(LIVE_SHARED)
$(B)/tests/live/test_watch: $(LIVE_WATCH)
$(LIVE_SHARED) $(LIVE_WATCH): PACKAGES_CFLAGS += $(TEST_CFLAGS)

# a fuzz harness has its main() from libFuzzer or from a driver of ours
$(FUZZERS): $(FUZZ_SHARED)
ifeq ($(FUZZ),1)
$(FUZZERS): TEST_LIBS := -fsanitize=fuzzer
# each policy that is loaded asks for every port: if libFuzzer looked on, that would take nearly all of its time
$(B)/registry/registry.o $(B)/user/judge/service_index.o: override CFLAGS += -fno-sanitize=fuzzer-no-link
else
$(FUZZERS): $(B)/tests/fuzz/main.o
endif
# the matcher a second time, with a call in each of its basic blocks: to the harness, not to libFuzzer's of that name
$(B)/tests/fuzz/fuzz_glob: $(B)/tests/fuzz/glob_counted.o
$(B)/tests/fuzz/fuzz_glob: override LDFLAGS += -Wl,--wrap=__sanitizer_cov_trace_pc
$(B)/tests/fuzz/glob_counted.o: override CFLAGS += -fsanitize-coverage=trace-pc

$(B)/tests/%: tests/%.c $(LIBRARY)
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(PACKAGES_CFLAGS) $(TEST_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(filter %.o,$^) $(LDFLAGS) $(TEST_LIBS) $(PACKAGES_LIBS)

check-unit: $(UNIT) $(B)/bindwatch
	$(Q)tests/run $(UNIT)

check-fuzz: $(FUZZERS)
	$(Q)tests/run $(FUZZERS)

check-live: $(LIVE) $(LIVE_TOOLS) $(B)/bindwatch
	$(Q)tests/run $(LIVE)

check-vm: $(LIVE) $(LIVE_TOOLS) $(B)/bindwatch
	$(Q)packaging/deps vm
	$(Q)tests/vm/run $(B)

build-tests: $(B)/bindwatch $(UNIT) $(FUZZERS) $(LIVE) $(LIVE_TOOLS)
.PHONY: build-tests

# one run of all, so that one line at the end tells the whole
check: deps
	$(Q)$(MAKE) --no-print-directory build-tests
	$(Q)$(MAKE) --no-print-directory build-tests SANITIZE=1
	$(Q)tests/run $(UNIT) $(FUZZERS) $(LIVE) $(patsubst build/%,build/sanitize/%,$(UNIT) $(FUZZERS) $(LIVE))

# what libFuzzer finds and grows stays in the build folder; a find is repeated by PROGRAM FILE
fuzz:
	$(Q)packaging/deps fuzz $(CLANG)
	$(Q)$(MAKE) --no-print-directory FUZZ=1 SANITIZE=0 CC=$(CLANG) fuzz-run

fuzz-run: $(FUZZERS)
	$(Q)tests/fuzz/run $(SECONDS) $(FUZZERS)
.PHONY: fuzz-run

bench-tests: $(BENCH)
.PHONY: bench-tests

bench: $(BENCH) $(LIVE_TOOLS) $(B)/bindwatch
	$(Q)for b in $(BENCH); do $$b || exit 1; done

run: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(B)/bindwatch watch

# --- the machine --------------------------------------------------------------------------------------------------

deps:
	$(Q)packaging/deps

install: $(B)/bindwatch
	install -D -m 0755 $(B)/bindwatch $(DESTDIR)$(SBINDIR)/bindwatch
	install -D -m 0644 docs/bindwatch.8 $(DESTDIR)$(MANDIR)/man8/bindwatch.8
	install -D -m 0644 docs/bindwatch-policy.5 $(DESTDIR)$(MANDIR)/man5/bindwatch-policy.5
	for file in $(POLICY_FILES); do \
		install -D -m 0644 $$file $(DESTDIR)$(POLICYDIR)/$${file##*/} || exit 1; done
	install -d -m 0755 $(DESTDIR)/etc/bindwatch/policy.d

clean:
	$(Q)rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)
