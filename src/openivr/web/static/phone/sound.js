// Audio of a simulated call: prompts by an audio element, tones by oscillators, and their level.

const ROWS = { 1: 697, 2: 697, 3: 697, 4: 770, 5: 770, 6: 770, 7: 852, 8: 852, 9: 852, "*": 941, 0: 941, "#": 941 };
const COLUMNS = { 1: 1209, 4: 1209, 7: 1209, "*": 1209, 2: 1336, 5: 1336, 8: 1336, 0: 1336, 3: 1477, 6: 1477, 9: 1477, "#": 1477 };
const RING = { tones: [440, 480], on: 2, off: 4 }; // ITU-T E.180, North America
const QUIET = 0.08; // gain of tones beside speech

export class Sound {
  constructor(audio) {
    this.audio = audio;
    this.turn = 0; // raised when other audio begins
    this.context = null;
    this.ring = null;
  }

  // Browsers allow audio only after a click or a key.
  open() {
    if (this.context) return this.context.resume();
    this.context = new AudioContext();
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = 512;
    this.out = this.context.createGain();
    this.out.connect(this.analyser).connect(this.context.destination);
    this.context.createMediaElementSource(this.audio).connect(this.out);
    this.samples = new Float32Array(this.analyser.fftSize);
    return this.context.resume();
  }

  // The level, 0 to 1, on a logarithmic scale.
  get level() {
    if (!this.context) return 0;
    this.analyser.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0) / this.samples.length;
    return power > 0 ? Math.min(1, Math.max(0, 1 + (10 * Math.log10(power) + 9) / 45)) : 0;
  }

  set muted(muted) {
    this.out?.gain.setValueAtTime(muted ? 0 : 1, this.context.currentTime);
    this.audio.muted = muted;
  }

  // Play sounds in turn, then call `done` with the names of those that could not be played.
  async play(sounds, done) {
    const turn = ++this.turn;
    const failed = [];
    for (const sound of sounds) {
      if (sound.address) {
        if (!(await this.playOne(sound.address)) && turn === this.turn) failed.push(sound.name);
      } else {
        await new Promise((resolve) => setTimeout(resolve, sound.seconds * 1000));
      }
      if (turn !== this.turn) return;
    }
    done(failed);
  }

  playOne(address) {
    return new Promise((resolve) => {
      const settle = (played) => {
        this.audio.onended = this.audio.onerror = this.abandon = null;
        resolve(played);
      };
      this.abandon = () => settle(true);
      this.audio.onended = () => settle(true);
      this.audio.onerror = () => settle(false);
      this.audio.src = address;
      this.audio.play().catch((error) => error.name === "AbortError" || settle(false));
    });
  }

  stop() {
    this.turn++;
    this.audio.pause();
    this.abandon?.();
    this.stopRinging();
  }

  tone(frequencies, seconds, after = 0) {
    if (!this.context) return null;
    const from = this.context.currentTime + after;
    const gain = this.context.createGain();
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(QUIET, from + 0.005);
    gain.gain.setValueAtTime(QUIET, from + seconds - 0.01);
    gain.gain.linearRampToValueAtTime(0, from + seconds);
    gain.connect(this.out);
    for (const frequency of frequencies) {
      const oscillator = new OscillatorNode(this.context, { frequency });
      oscillator.connect(gain);
      oscillator.start(from);
      oscillator.stop(from + seconds);
    }
    return gain;
  }

  press(key) {
    this.tone([ROWS[key], COLUMNS[key]], 0.12);
  }

  beep() {
    this.tone([1000], 0.4);
  }

  startRinging() {
    if (this.ring) return;
    const once = () => (this.ringing = this.tone(RING.tones, RING.on));
    once();
    this.ring = setInterval(once, (RING.on + RING.off) * 1000);
  }

  stopRinging() {
    clearInterval(this.ring);
    this.ringing?.disconnect();
    this.ring = this.ringing = null;
  }
}
