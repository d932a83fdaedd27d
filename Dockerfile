# docker build -t rowlock .
# docker run -d --init --env-file rowlock.env rowlock                 a run every minute, until it is stopped
# docker run --rm --init --env-file rowlock.env rowlock migrate      any other command
# docker exec NAME rowlock status                                    in a container that is running
#
# Docker's own --env-file takes each line as it is: no quotes around a value.
#
# --init: a process that is the first in its container takes no signal that it does not ask for, and has to
# take the exit codes of whatever a job leaves behind. Node does neither; the little init that Docker, Compose
# (`init: true`) and tini bring does both. `schedule` and `run` end well without it, other commands do not
# end by Ctrl-C.
#
# `docker stop` gives 10 seconds and then kills. Running jobs have a grace of 25 s, so: docker stop --time 40.

# Tested are the steps, one by one in a folder, and what they leave there; `docker build` itself is not.

# A Node release with long-term support. With the next one, change both lines.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Not npm ci: it refuses a lock file in which the binaries for this kind of machine are missing.
RUN npm install --no-save --include=dev --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY scripts/bundle.mjs scripts/bundle.mjs
RUN npm run build && chmod +x dist/cli.js && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
LABEL org.opencontainers.image.title="rowlock" \
      org.opencontainers.image.description="A MySQL and MariaDB job queue: a jobs table, a run each minute, and your job functions" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY sql sql
COPY completion completion
RUN ln -s /app/dist/cli.js /usr/local/bin/rowlock
USER node

# Whether jobs are being run, by this container or another: the whole queue is judged, not this process.
# So it is something to be told of. Do not restart for it: a database that is away is not mended by that.
# The start period covers the first tick, and the retries a server that is being restarted.
HEALTHCHECK --interval=60s --timeout=20s --start-period=90s --retries=3 \
  CMD ["node", "--", "/app/dist/cli.js", "status", "--check"]

# No shell stands between: SIGTERM reaches Node, which lets the run that is on end as it should.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--", "/app/dist/cli.js"]
CMD ["schedule"]
