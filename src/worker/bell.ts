import { clearTimeout, setTimeout } from '../timers';

/** Wakes the one loop that waits for something to change. Rung while nobody waits, it is heard by the next wait. */
export class Bell {
  private rung = false;
  private wake: () => void = () => undefined;

  ring(): void {
    this.rung = true;
    this.wake();
  }

  /** Resolves when it rings, or after `atMostMs`. */
  async wait(atMostMs: number): Promise<void> {
    if (!this.rung) await this.sleep(atMostMs);
    this.rung = false;
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        this.wake = () => undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
