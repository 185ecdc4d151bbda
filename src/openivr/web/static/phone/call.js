// A simulated call. It has the list of events, asks the server what follows from them, and runs the timers. The
// server decides; this is the clock.

export class Call {
  // `ask(sent)` returns the server's answer. `view` shows the call: see phone.js. `from` has the caller's number, and
  // for a call from the outside the trunk and the number that is called.
  constructor(ask, view, from, world, draft) {
    this.ask = ask;
    this.view = view;
    this.from = from;
    this.world = world;
    this.draft = draft;
    this.happenings = [];
    this.revision = 0;
    this.told = 0;
    this.ended = false;
    this.began = performance.now();
    this.timers = [];
    this.asking = false;
    this.behind = false; // true if an event has come since the last request
    this.playing = 0; // the token of the prompt that plays
  }

  // Milliseconds since the call began.
  get now() {
    return Math.round(performance.now() - this.began);
  }

  // The call as the server needs it to replay it, or to save it as a test.
  get sent() {
    const { revision, from, world, draft, happenings } = this;
    return { revision, ...from, world, draft, happenings };
  }

  // Add an event, given as its name and fields.
  add(event) {
    if (this.ended) return;
    this.happenings.push({ at: this.now, ...event });
    this.proceed();
  }

  // Ask what follows. Events that come during the request are sent together in the next one.
  async proceed() {
    this.behind = true;
    if (this.asking) return;
    this.asking = true;
    while (this.behind && !this.ended) {
      this.behind = false;
      try {
        const answer = await this.ask({ ...this.sent, told: this.told });
        if (this.ended) break; // the phone was closed meanwhile
        this.apply(answer);
        this.view.reach(true);
      } catch (error) {
        if (this.ended) break;
        if (error.problem) {
          this.stop();
          this.view.fail(error.problem);
          break;
        }
        this.behind = true; // no answer: ask again
        this.view.reach(false);
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
    this.asking = false;
  }

  apply(answer) {
    this.revision = answer.revision;
    this.told = answer.told;
    this.view.update(answer);
    if (answer.ended) {
      this.stop();
      return;
    }
    this.clear();
    if (this.behind) return; // the timers may be outdated already
    for (const { at, event } of answer.due) {
      this.timers.push(setTimeout(() => this.add(event), Math.max(0, at - this.now)));
    }
    const token = answer.play?.event.token ?? 0;
    if (token === this.playing) return;
    this.playing = token;
    if (token) {
      this.view.play(answer.play.sounds, (failed) => this.finish(answer.play.event, failed));
    } else {
      this.view.quiet();
    }
  }

  // The prompt has ended. `failed` are the names of sounds that could not be played.
  finish(event, failed) {
    if (this.playing !== event.token) return;
    this.add({ ...event, failed });
  }

  clear() {
    this.timers.forEach(clearTimeout);
    this.timers = [];
  }

  stop() {
    this.ended = true;
    this.playing = 0;
    this.clear();
    this.view.quiet();
  }
}
