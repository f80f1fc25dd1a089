#!/bin/sh
# Bring in the programs of tests/packages.txt that are missing; `packages.sh install COMMAND PACKAGE` brings in one.
set -eu
cd "$(dirname "$0")/.."
TOOLS="$PWD/.tools"
PATH="$TOOLS/bin:$PATH:/usr/sbin:/sbin:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')"
export DEBIAN_FRONTEND=noninteractive

refuse() {
    echo "make: $1" >&2
    exit 1
}

need_apt() {
    command -v apt-get >/dev/null || refuse "$1 is needed, and this is not a Debian: install it by hand, then call make again"
}

refresh() { # once a run: a fresh machine has no package lists
    [ -n "${refreshed:-}" ] || apt-get update -qq </dev/null
    refreshed=yes
}

install() { # COMMAND PACKAGE
    need_apt "$2"
    [ "$(id -u)" = 0 ] || refuse "$1 is missing: sudo apt-get install $2, then call make again"
    refresh
    # 101 from policy-rc.d forbids a package to start its service.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod +x /usr/sbin/policy-rc.d
    fi
    apt-get install -y -qq --no-install-recommends "$2" </dev/null >"$TOOLS/apt.log" 2>&1 || { cat "$TOOLS/apt.log" >&2; exit 1; }
}

unpack() { # COMMAND PACKAGE: its own libraries are found through a wrapper
    need_apt "$2"
    [ "$(id -u)" != 0 ] || refresh
    (cd "$TOOLS" && apt-get download -qq -o APT::Sandbox::User=root "$2" && dpkg -x "$2"_*.deb "$2" && rm "$2"_*.deb)
    program=$(find "$TOOLS/$2" -type f -name "$1" | head -n 1)
    libraries=$(find "$TOOLS/$2" -name '*.so*' -exec dirname {} + | sort -u | paste -sd:)
    printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s" "$@"\n' "$libraries" "$program" >"$TOOLS/bin/$1"
    chmod +x "$TOOLS/bin/$1"
}

npm_ci() { # FOLDER MODULE: what the lock of a folder pins by hash; nothing that comes in is run here
    command -v npm >/dev/null || { echo "npm is missing: the tests that ask $2 are skipped" >&2; return; }
    rm -rf "${TOOLS:?}/$2"
    mkdir "$TOOLS/$2"
    cp "$1/package.json" "$1/package-lock.json" "$TOOLS/$2"
    (cd "$TOOLS/$2" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null)
}

pip_venv() { # COMMAND FOLDER: what a lock pins by hash, in an environment of its own whose Python is the command
    python=$PWD/.venv/bin/python
    [ -x "$python" ] || python=python3
    rm -rf "${TOOLS:?}/$1"
    "$python" -m venv "$TOOLS/$1"
    "$TOOLS/$1/bin/python" -m pip --disable-pip-version-check --no-input --quiet install \
        --require-hashes --only-binary :all: -r "$2/requirements.txt" </dev/null
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$TOOLS/$1/bin/python" >"$TOOLS/bin/$1"
    chmod +x "$TOOLS/bin/$1"
}

present() { # a command, a shared library by its name, or the folder of a lock that was installed from
    case $1 in
    */*) cmp -s "$1/package-lock.json" "$TOOLS/$2/package-lock.json" && [ -d "$TOOLS/$2/node_modules/$2" ] ;;
    *.so.*) ldconfig -p | grep -q "$1" ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

mkdir -p "$TOOLS/bin"
if [ "${1:-}" = install ]; then
    install "$2" "$3"
    exit
fi
grep -v '^#' "${1:-tests/packages.txt}" | while read -r command package how; do
    present "$command" "$package" && continue
    echo "$package: $how (for $command)"
    "$how" "$command" "$package"
done
