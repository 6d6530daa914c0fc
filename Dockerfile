# The image of all roles: the locked runtime dependencies and this package, on a plain Python.
# docs/image.md says what is in it, how to check it and how to build it without a registry.

# The digest is that of the index of all platforms. Both parts move together (docs/image.md).
ARG BASE_IMAGE=docker.io/library/python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

FROM ${BASE_IMAGE} AS build
# A fixed order of sets: the same input gives the same files.
ENV PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/runtime.txt requirements/build.txt requirements/
# Wheels only: nothing is compiled, here or by anybody who builds from this. The build backend gets
# an environment of its own and stays behind with it. The secret, if given, has the certificates that
# a proxy of one's own needs.
RUN --mount=type=secret,id=ca-certificates,target=/run/ca-certificates.crt \
    if [ -e /run/ca-certificates.crt ]; then export PIP_CERT=/run/ca-certificates.crt; fi \
 && python3 -m venv --without-pip /opt/stackchain \
 && python3 -m venv /tools \
 && /tools/bin/pip install --no-deps --require-hashes --only-binary :all: -r requirements/build.txt \
 && /tools/bin/pip --python /opt/stackchain/bin/python install --no-deps --no-compile \
      --require-hashes --only-binary :all: -r requirements/runtime.txt
# The date of all files, instead of the present one.
ARG SOURCE_DATE_EPOCH=0
ENV SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH}
COPY pyproject.toml README.md LICENSE ./
COPY controller controller
# A read-only root file system keeps no bytecode, so each start would compile all modules again.
# What is compiled here is never compared with its source, and so does not depend on file times. The
# Kubernetes client's thousands of models are loaded one by one, and we need a handful.
RUN /tools/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir wheels . \
 && /tools/bin/pip --python /opt/stackchain/bin/python install --no-deps --no-compile --no-index \
      --find-links wheels stackchain \
 && rm -rf /opt/stackchain/bin/activate* /opt/stackchain/bin/Activate* /opt/stackchain/include \
 && python3 -m compileall -q --invalidation-mode unchecked-hash \
      -x '/kubernetes/(aio/)?client/(api|models)/' /opt/stackchain/lib \
 && find /opt/stackchain -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

FROM ${BASE_IMAGE}
# Named here so that layers with another date are not taken from a cache.
ARG SOURCE_DATE_EPOCH=0
# The official base brings pip and no bytecode of the standard library; Debian's is the other way
# round. Nobody needs to become another user here.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/site-packages/pip* \
      /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/idlelib \
 && export PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 \
 && python3 -m compileall -q -x '/(test|tests|site-packages|dist-packages)/' \
      --invalidation-mode unchecked-hash \
      "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && echo 'stackchain:x:65532:65532:StackChain:/nonexistent:/usr/sbin/nologin' >>/etc/passwd \
 && echo 'stackchain:x:65532:' >>/etc/group \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=build /opt/stackchain /opt/stackchain
ENV PATH=/opt/stackchain/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /
USER 65532:65532
EXPOSE 8080 8090
ENTRYPOINT ["stackchain"]
ARG VERSION
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="stackchain" \
      org.opencontainers.image.description="Kubernetes operator that rolls Spacelift stacks in dependency order, on Temporal" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
