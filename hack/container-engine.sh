# shellcheck shell=bash
# What the scripts that handle images share: docker, podman and buildah behind one set of functions.

# crun, podman's default, needs cgroups that not every kernel has.
_podman() { podman "$(command -v runc >/dev/null && echo --runtime=runc || echo --log-level=warn)" "$@"; }

# works ENGINE: is it there, and does it answer?
works() {
  case $1 in
    docker) docker version >/dev/null 2>&1 ;;
    podman) podman version >/dev/null 2>&1 ;;
    buildah) buildah version >/dev/null 2>&1 ;;
    *) return 1 ;;
  esac
}

# find_engine prints the name of the engine to use.
find_engine() {
  local engine
  for engine in ${CONTAINER_ENGINE:-docker podman buildah}; do
    if works "$engine"; then
      echo "$engine"
      return
    fi
  done
  echo "No container engine works (tried: ${CONTAINER_ENGINE:-docker podman buildah}): install one," \
    "or start Docker." >&2
  return 1
}

# find_base ENGINE prints the image to build on.
find_base() {
  local default archive name
  if [[ -n ${BASE_IMAGE:-} ]]; then
    echo "$BASE_IMAGE"
    return
  fi
  default=$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)
  if "$1" inspect --type image "$default" >/dev/null 2>&1 || timeout 300 "$1" pull "$default" >/dev/null 2>&1; then
    echo "$default"
    return
  fi
  echo "The base $default cannot be pulled here." >&2
  archive=$(hack/base-image)
  # The name distinguishes one archive from the next.
  name=localhost/stackchain-base:$(stat --format=%Y-%s "$archive")
  if ! "$1" inspect --type image "$name" >/dev/null 2>&1; then
    import "$1" "$archive" "$name" >/dev/null
  fi
  echo "$name"
}

# import ENGINE ARCHIVE IMAGE makes an image of a file system.
import() {
  local container
  if [[ $1 != buildah ]]; then
    "$1" import "$2" "$3"
    return
  fi
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$2" /
  buildah commit --rm --timestamp 0 "$container" "$3"
}

# build ENGINE DOCKERFILE IMAGE EPOCH ARGUMENTS...
build() {
  local engine=$1 file=$2 image=$3 epoch=$4
  shift 4
  case $engine in
    # Docker takes the date from the environment.
    docker) docker build --file "$file" --tag "$image" "$@" . ;;
    # Root runs a step without a container, and so without cgroups or a network.
    podman) _podman build --isolation "$(isolation)" --network host --timestamp "$epoch" \
      --file "$file" --tag "$image" "$@" . ;;
    buildah) buildah build --isolation "$(isolation)" --network host --timestamp "$epoch" \
      --file "$file" --tag "$image" "$@" . ;;
  esac
}

# real_name ENGINE IMAGE prints what the engine calls an image that it has built: podman and buildah
# put a host in front if the name has none.
real_name() {
  local host=${2%%/*}
  if [[ $1 == docker || ($2 == */* && ($host == *[.:]* || $host == localhost)) ]]; then
    echo "$2"
  else
    echo "localhost/$2"
  fi
}

isolation() { [[ $EUID == 0 ]] && echo chroot || echo rootless; }

# save ENGINE IMAGE ARCHIVE
save() {
  rm -f "$3"
  case $1 in
    buildah) buildah push --quiet "$2" "docker-archive:$3:$2" ;;
    *) "$1" save --output "$3" "$2" ;;
  esac
}

# run ENGINE IMAGE ARGUMENTS... runs a command of the image as a pod would: a read-only root, no
# capabilities, no network. MORE_RUN_OPTIONS, if set, has options for the engine.
run() {
  local engine=$1 options=(--rm --read-only --network none --cap-drop ALL)
  shift
  # shellcheck disable=SC2206
  options+=(${MORE_RUN_OPTIONS:-})
  case $engine in
    docker) docker run "${options[@]}" "$@" ;;
    # Podman's limits are above those that a machine without CAP_SYS_RESOURCE may set.
    podman) _podman run --read-only-tmpfs=false --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \
      "${options[@]}" "$@" ;;
    *) echo "$engine cannot run an image like this: install docker or podman." >&2 && return 1 ;;
  esac
}
