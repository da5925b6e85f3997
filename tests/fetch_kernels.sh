#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Fetch the C files of Debian's linux-source-6.12 and linux-source-6.1 for the tests that look at real code.
#
# usage: tests/fetch_kernels.sh [VERSION...]
#
# They go to $MMLINT_KERNELS, by default $XDG_CACHE_HOME/mmlint/kernels or ~/.cache/mmlint/kernels, and stay there.
# What cannot be fetched is told on stderr; the tests then skip what needs it, and say so.
set -u

folder=${MMLINT_KERNELS:-${XDG_CACHE_HOME:-$HOME/.cache}/mmlint/kernels}
failed=0

fetch() {
	local version=$1 name=linux-source-$1 work
	[ -f "$folder/$name/mm/memory.c" ] && return 0
	work=$(mktemp -d "$folder/.fetch.XXXXXX") || return 1
	(
		cd "$work" || exit 1
		echo "fetching $name ..." >&2
		apt-get download -qq "$name" >&2 &&
			dpkg-deb -x "$name"_*.deb . &&
			# tar's exit code must not depend on a name that one version lacks.
			XZ_OPT=-T0 tar -xJf "usr/src/$name.tar.xz" --wildcards '*.c' '*.h' &&
			[ -f "$name/mm/memory.c" ] &&
			mv "$name" "$folder/$name"
	)
	local status=$?
	rm -rf "$work"
	return $status
}

mkdir -p "$folder" || exit 1
for version in "${@:-6.12 6.1}"; do
	for one in $version; do
		if ! fetch "$one"; then
			echo "NO KERNEL $one: could not fetch linux-source-$one; the tests that need it will be skipped" >&2
			failed=1
		fi
	done
done
exit $failed
