import { Job } from 'sidequest';
import { countOne } from './handled.mjs';

export class NoopJob extends Job {
  run() {
    countOne();
  }
}
