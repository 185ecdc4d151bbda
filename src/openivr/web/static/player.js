// A player with a waveform around an <audio> element.
//
// makePlayer(element, peaks): `element` contains the <audio> and has its texts in data attributes. `peaks` returns
// a promise of the loudness, 0 to 100 for each bar; it is called when the player comes into view.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 32;
const BAR = 3;

const make = (name, attributes = {}, ...children) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};

const clock = (seconds) => {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

let clips = 0;

export const makePlayer = (element, peaks) => {
  const { play, stop, seek, icons, seconds } = element.dataset;
  const audio = element.querySelector("audio");
  audio.controls = false;
  element.dataset.made = "";

  const use = make("use", { href: `${icons}#play` });
  const button = document.createElement("button");
  button.type = "button";
  button.className = "bare";
  button.setAttribute("aria-label", play);
  button.append(make("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, use));

  const clip = make("rect", { width: "0", height: String(HEIGHT) });
  const picture = make("svg", { class: "wave", preserveAspectRatio: "none", "aria-hidden": "true" });
  const range = document.createElement("input");
  Object.assign(range, { type: "range", min: "0", max: "1000", value: "0", step: "1" });
  range.setAttribute("aria-label", seek);
  const track = document.createElement("span");
  track.className = "track";
  track.append(picture, range);
  const time = document.createElement("span");
  time.className = "figures";

  const length = () => (Number.isFinite(audio.duration) ? audio.duration : Number(seconds) || 0);
  const show = () => {
    const part = length() ? Math.min(1, audio.currentTime / length()) : 0;
    clip.setAttribute("width", `${100 * part}%`);
    range.value = String(Math.round(1000 * part));
    range.setAttribute("aria-valuetext", clock(audio.currentTime));
    time.textContent = clock(audio.paused && !audio.currentTime ? length() : audio.currentTime);
  };
  const draw = (bars) => {
    const width = bars.length * BAR;
    const line = bars
      .map((bar, at) => {
        const half = Math.max(0.75, (bar / 100) * (HEIGHT / 2 - 1));
        return `M${at * BAR + 1} ${HEIGHT / 2 - half}V${HEIGHT / 2 + half}`;
      })
      .join("");
    clips += 1;
    picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    picture.replaceChildren(
      make("clipPath", { id: `clip-${clips}` }, clip),
      make("path", { d: line, class: "rest" }),
      make("path", { d: line, class: "done", "clip-path": `url(#clip-${clips})` }),
    );
    show();
  };

  button.addEventListener("click", () => (audio.paused ? audio.play() : audio.pause()));
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    use.setAttribute("href", `${icons}#stop`);
    button.setAttribute("aria-label", stop);
    const step = () => {
      show();
      if (!audio.paused) requestAnimationFrame(step);
    };
    step();
  });
  audio.addEventListener("pause", () => {
    use.setAttribute("href", `${icons}#play`);
    button.setAttribute("aria-label", play);
    show();
  });
  audio.addEventListener("ended", () => {
    audio.currentTime = 0;
    show();
  });
  range.addEventListener("input", () => {
    audio.currentTime = (length() * Number(range.value)) / 1000;
    show();
  });

  element.prepend(button, track, time);
  show();
  const watcher = new IntersectionObserver(async (entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    draw(await peaks());
  });
  watcher.observe(element);
};
