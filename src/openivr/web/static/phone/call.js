// One call: keeps what has happened, asks the server what follows from all of it, and sees to it that the next
// thing happens in its time. The server decides; this is the clock.

export class Call {
  // `ask(sent)` gives the server's answer; `heard` is told what to show: see phone.js.
  constructor(ask, heard, caller, world, draft) {
    this.ask = ask;
    this.heard = heard;
    this.caller = caller;
    this.world = world;
    this.draft = draft;
    this.happenings = [];
    this.revision = 0;
    this.told = 0;
    this.ended = false;
    this.began = performance.now();
    this.timers = [];
    this.asking = false;
    this.behind = false; // whether something has happened since the server was asked
    this.playing = 0; // the token of what is heard
  }

  // Milliseconds since the call began.
  get now() {
    return Math.round(performance.now() - this.began);
  }

  // What the server needs to tell the call from its beginning, and what a test is made of.
  get sent() {
    const { revision, caller, world, draft, happenings } = this;
    return { revision, caller, world, draft, happenings };
  }

  // Something happened: `event` is its name and fields.
  tell(event) {
    if (this.ended) return;
    this.happenings.push({ at: this.now, ...event });
    this.proceed();
  }

  // Ask what follows. What happens while the server is asked is asked about next, all of it at once.
  async proceed() {
    this.behind = true;
    if (this.asking) return;
    this.asking = true;
    while (this.behind && !this.ended) {
      this.behind = false;
      try {
        this.apply(await this.ask({ ...this.sent, told: this.told }));
        this.heard.reach(true);
      } catch (error) {
        if (error.problem) {
          this.stop();
          this.heard.fail(error.problem);
          break;
        }
        this.behind = true; // the server was out of reach: ask again
        this.heard.reach(false);
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
    this.asking = false;
  }

  apply(answer) {
    this.revision = answer.revision;
    this.told = answer.told;
    this.heard.tell(answer);
    if (answer.ended) {
      this.stop();
      return;
    }
    this.clear();
    if (this.behind) return; // what is due may have changed already
    for (const { at, event } of answer.due) {
      this.timers.push(setTimeout(() => this.tell(event), Math.max(0, at - this.now)));
    }
    const token = answer.play?.event.token ?? 0;
    if (token === this.playing) return;
    this.playing = token;
    if (token) {
      this.heard.play(answer.play.sounds, (failed) => this.finish(answer.play.event, failed));
    } else {
      this.heard.quiet();
    }
  }

  // What was heard is over; `failed` are names of sounds that could not be played.
  finish(event, failed) {
    if (this.playing !== event.token) return;
    this.tell({ ...event, failed });
  }

  clear() {
    this.timers.forEach(clearTimeout);
    this.timers = [];
  }

  stop() {
    this.ended = true;
    this.playing = 0;
    this.clear();
    this.heard.quiet();
  }
}
