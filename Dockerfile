# docker build -t rowlock .
# docker run --rm --init --env DATABASE_URL rowlock            one run, as cron would start it
# docker run --rm --init --env DATABASE_URL rowlock status     any other command
#
# --init: a command type may leave processes behind, and somebody has to take their exit codes.

FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm install --no-save --include=dev --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY sql sql
USER node
ENTRYPOINT ["node", "/app/dist/cli.js"]
CMD ["run"]
