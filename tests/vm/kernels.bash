# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # cache, work
# Debian's cloud kernels, fetched by apt into a cache of our own and only unpacked there: nothing is installed, and the
# machine's own package lists stay as they are. For tests/vm/run, which sets `cache` and `work`, a folder for the time
# that it runs.
#
# The cache: kernels/NAME/{vmlinuz,release,wanted,modules.cpio} once a kernel is whole (modules.cpio is moved there last;
# wanted: the list of modules that it was made by), newest: which series the mirror's newest two are, apt/SUITE: package
# lists.

# The three that the releases of Debian which are still kept up started with. NAME SUITE SERIES
kernels_fixed="5.10 bullseye-security 5.10
6.1 bookworm-security 6.1
6.12 trixie-security 6.12"

# Where the newest ones may be.
kernels_newest_suites="trixie-backports forky sid"
kernels_newest_count=2

# After this time the mirror is asked again; a kernel that is there already is used where it does not answer.
kernels_days=14

# What the tests need beyond a cloud kernel's built-in code; with whatever these depend on. Not every kernel has each.
kernels_modules="sctp sctp_diag tcp_diag udp_diag inet_diag raw_diag mptcp_diag dccp_ipv4 dccp_ipv6 dccp_diag
	veth dummy tun vxlan geneve fou sunrpc overlay"

# Of the suite's mirror: the base address that this machine's own sources name. Empty: they name none.
kernels_mirror() {
	local what='/debian/?$'

	[[ $1 != *-security ]] || what='debian-security/?$'
	{
		awk '$1 == "URIs:" { for (i = 2; i <= NF; i++) print $i }' /etc/apt/sources.list.d/*.sources
		awk '$1 == "deb" { sub(/\[[^]]*\]/, ""); print $2 }' /etc/apt/sources.list /etc/apt/sources.list.d/*.list
	} 2>/dev/null | grep -E -m1 "$what"
}

# kernels_apt SUITE get|cache ARGUMENT...: apt with lists of its own, of this suite alone
kernels_apt() {
	local suite=$1 command=$2 apt=$cache/apt/$1

	shift 2
	LC_ALL=C "apt-$command" -qq -o Dir::Etc::sourcelist="$apt/list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o Dir::State::status=/dev/null \
		-o APT::Architecture=amd64 -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=2 "$@"
}

# The suite's package lists, once a run. 1: not to be had.
kernels_update() {
	local suite=$1 apt=$cache/apt/$1 mirror

	[ ! -e "$work/updated.$suite" ] || return "$(cat "$work/updated.$suite")"
	echo 1 >"$work/updated.$suite"
	mirror=$(kernels_mirror "$suite")
	[ -n "$mirror" ] || return 1
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$apt/list"
	kernels_apt "$suite" get update >"$work/apt.$suite" 2>&1 || return 1
	grep -q '^[EW]:' "$work/apt.$suite" && return 1
	echo 0 >"$work/updated.$suite"
}

# Every cloud kernel of the suite, newest first: "6.1.0-56-cloud-amd64". From 7.2 on linux-image-* is an empty shell
# over linux-binary-* and linux-modules-*.
kernels_of() {
	kernels_apt "$1" cache pkgnames linux- |
		sed -nE 's/^linux-(image|binary)-([0-9].*-cloud-amd64)$/\2/p' | sort -Vru
}

# The newest series of all suites, "SERIES SUITE" a line.
kernels_find_newest() {
	local suite

	for suite in $kernels_newest_suites; do
		kernels_update "$suite" || continue
		kernels_of "$suite" | sed "s/\$/ $suite/"
	done | sort -Vr | awk -v count="$kernels_newest_count" '{
			split($1, part, ".")
			series = part[1] "." part[2]
			if (!(series in seen) && found < count) {
				seen[series]
				found++
				print series, $2
			}
		}'
}

# kernels_unpack RELEASE FOLDER TARGET: vmlinuz and the modules that the tests need, in the order to load them
kernels_unpack() {
	local release=$1 from=$2 to=$3 name file plain

	mkdir -p "$from/tree" "$to/modules"
	for file in "$from"/*.deb; do
		dpkg-deb -x "$file" "$from/tree" || return 1
	done
	cp "$(find "$from/tree" -name 'vmlinuz*' -type f | head -n1)" "$to/vmlinuz" || return 1
	# merged /usr: the modules lie below one of both
	[ -d "$from/tree/lib/modules" ] || ln -s usr/lib "$from/tree/lib"
	depmod -b "$from/tree" "$release" || return 1
	: >"$to/modules/order"
	for name in $kernels_modules; do
		modprobe -d "$from/tree" -S "$release" --show-depends "$name" 2>/dev/null | awk '$1 == "insmod" { print $2 }'
	done | while read -r file; do
		plain=${file##*/}
		plain=${plain%.xz}
		[ ! -e "$to/modules/$plain" ] || continue
		case $file in
		*.xz) xz -dc "$file" >"$to/modules/$plain" ;;
		*) cp "$file" "$to/modules/$plain" ;;
		esac
		echo "$plain" >>"$to/modules/order"
	done
	echo "$release" >"$to/release"
	echo "$kernels_modules" >"$to/wanted"
	(cd "$to" && find modules | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) >"$to/modules.cpio.new" || return 1
	rm -r "$to/modules"
	mv "$to/modules.cpio.new" "$to/modules.cpio"
}

# Was the kernel in this folder made by the list of modules that is wanted now?
kernels_is_current() {
	[ "$(cat "$1/wanted" 2>/dev/null)" = "$kernels_modules" ]
}

# Where no other is to be had: a kernel of an older list is one on which more is skipped.
kernels_keep() {
	[ -e "$1/modules.cpio" ] || return 1
	kernels_is_current "$1" ||
		echo "tests/vm/run: Linux ${1##*/}: without modules that were added since it was fetched" >&2
}

# kernels_fetch NAME SUITE SERIES: leaves the kernel in the cache, or says on stdout why it is not there and returns 1
kernels_fetch() {
	local name=$1 suite=$2 series=$3 target=$cache/kernels/$1 from=$work/fetch.$1 release packages

	if [ -z "$suite" ]; then
		echo "the mirror names no kernel that is newer than the releases'"
		return 1
	fi
	if [ -n "$(find "$target/modules.cpio" -mtime "-$kernels_days" 2>/dev/null)" ] && kernels_is_current "$target"; then
		return 0
	fi
	if ! kernels_update "$suite"; then
		! kernels_keep "$target" || return 0
		echo "the mirror does not offer $suite"
		return 1
	fi
	# an index may name a build that the pool has no longer: then the one before it
	for release in $(kernels_of "$suite" | grep -E "^${series//./\\.}\\." | head -n3); do
		if [ "$(cat "$target/release" 2>/dev/null)" = "$release" ] && kernels_is_current "$target"; then
			touch "$target/modules.cpio"
			return 0
		fi
		packages=linux-image-$release
		[ -z "$(kernels_apt "$suite" cache pkgnames "linux-binary-$release")" ] ||
			packages="linux-binary-$release linux-modules-$release"
		rm -rf "$from"
		mkdir -p "$from" "$target.new"
		# shellcheck disable=SC2086 # a list of words
		if (cd "$from" && kernels_apt "$suite" get download $packages) >"$work/apt.$name" 2>&1 &&
			kernels_unpack "$release" "$from" "$target.new" >>"$work/apt.$name" 2>&1; then
			rm -rf "$target" "$from"
			mv "$target.new" "$target"
			return 0
		fi
		rm -rf "$target.new" "$from"
	done
	! kernels_keep "$target" || return 0
	echo "no package of Linux $series in $suite can be had"
	return 1
}

# The list of what to boot, "NAME SUITE SERIES" a line, oldest first. Where nothing is known of the newest ones there is
# the line "newest" in their place.
kernels_list() {
	local newest=$cache/newest

	echo "$kernels_fixed"
	if [ -z "$(find "$newest" -mtime "-$kernels_days" 2>/dev/null)" ]; then
		kernels_find_newest >"$work/newest"
		[ ! -s "$work/newest" ] || cp "$work/newest" "$newest"
	fi
	if [ -s "$newest" ]; then
		sort -V "$newest" | awk '{ print $1, $2, $1 }'
	else
		echo newest
	fi
}
