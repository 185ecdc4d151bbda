// Prompts: a player with a waveform, uploads with progress, and recording with the microphone.
// Without script the page has the browser's player and a plain form.

import { renewToken, showSignedOut } from "./frame.js";
import { encodeWav } from "./wav.js";
import { makePlayer } from "./player.js";

const RATE = 16000; // Hz of a recording: more than telephone quality, and 4 minutes fit into an upload
const LOUD_ENOUGH = 0.003;

const wirePlayers = (root) => {
  for (const player of root.querySelectorAll(".player:not([data-made])")) {
    makePlayer(player, () => fetch(player.dataset.peaks).then((answer) => answer.json()));
  }
};

// Replace the content of this page by that of the answer, which is a whole page.
const take = (text, address) => {
  const content = new DOMParser().parseFromString(text, "text/html").querySelector("#content");
  if (!content) return false;
  document.querySelector("#content").replaceWith(document.adoptNode(content));
  history.replaceState(null, "", address);
  document.title = document.querySelector("h1")?.textContent ?? document.title;
  htmx.process(content);
  wire(content);
  (content.querySelector("[data-focus]") ?? content.querySelector(".flash p") ?? content).focus();
  return true;
};

const send = (form, body, senders) => {
  const bar = form.querySelector("progress");
  const request = new XMLHttpRequest();
  const fail = () => {
    bar.hidden = true;
    showProblem(form, senders.dataset.failed);
  };
  for (const button of senders.querySelectorAll("button")) button.disabled = true;
  bar.hidden = false;
  bar.value = 0;
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = event.loaded / event.total;
  });
  request.addEventListener("load", () => {
    if (new URL(request.responseURL).pathname === "/sign-in") {
      bar.hidden = true;
      showSignedOut();
      return;
    }
    const token = request.getResponseHeader("x-csrf-token");
    if (renewToken(request.status, token)) {
      body.set("csrf", token);
      send(form, body, senders);
      return;
    }
    if (!take(request.responseText, request.status < 400 ? request.responseURL : location.href)) fail();
  });
  request.addEventListener("error", fail);
  request.addEventListener("loadend", () => {
    for (const button of senders.querySelectorAll("button")) button.disabled = false;
  });
  request.open("POST", form.action);
  request.send(body);
};

const showProblem = (form, text) => {
  let problem = form.querySelector(".problem");
  if (!problem) {
    problem = document.createElement("p");
    problem.className = "problem";
    problem.setAttribute("role", "alert");
    form.querySelector("h2").after(problem);
  }
  problem.textContent = text;
};

const wireSender = (senders) => {
  const form = senders.querySelector("form");
  const file = form.querySelector("[type=file]");
  const name = form.querySelector("#upload-name");
  const drop = form.querySelector(".drop");

  const isGood = () => {
    if (!file.files.length || file.files[0].size <= Number(senders.dataset.most)) return true;
    showProblem(form, senders.dataset.tooLarge);
    return false;
  };
  file.addEventListener("change", () => {
    if (name && file.files.length) name.placeholder = file.files[0].name;
    if (isGood()) form.querySelector(".problem")?.remove();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isGood()) send(form, new FormData(form), senders);
  });
  for (const kind of ["dragenter", "dragover"]) {
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.dataset.over = "";
    });
  }
  for (const kind of ["dragleave", "drop"]) form.addEventListener(kind, () => delete drop.dataset.over);
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    file.files = event.dataTransfer.files;
    file.dispatchEvent(new Event("change"));
  });
};

const wireRecorder = (senders) => {
  const recorder = senders.querySelector(".recorder");
  if (!recorder || !navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) return;
  const part = (name) => recorder.querySelector(`[data-${name}]`);
  const button = part("record");
  const meter = recorder.querySelector("meter");
  const form = senders.querySelector("form");
  let running = null;
  let taken = null;

  part("without").hidden = true;
  part("with").hidden = false;

  const showMessage = (text) => {
    part("problem").textContent = text;
    part("problem").hidden = !text;
  };
  const show = (isRunning) => {
    button.setAttribute("aria-pressed", String(isRunning));
    part("label").hidden = isRunning;
    part("label-stop").hidden = !isRunning;
  };

  const start = async () => {
    showMessage("");
    part("take").hidden = true;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      showMessage(recorder.dataset.denied);
      return;
    }
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const media = new MediaRecorder(stream);
    const pieces = [];
    const begun = performance.now();
    const samples = new Float32Array(analyser.fftSize);
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      meter.value = Math.min(1, 2 * samples.reduce((top, sample) => Math.max(top, Math.abs(sample)), 0));
      const seconds = Math.floor((performance.now() - begun) / 1000);
      part("time").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    }, 60);
    media.addEventListener("dataavailable", (event) => pieces.push(event.data));
    media.addEventListener("stop", async () => {
      clearInterval(timer);
      meter.value = 0;
      for (const track of stream.getTracks()) track.stop();
      await context.close();
      await finish(new Blob(pieces));
    });
    media.start();
    running = media;
    show(true);
  };

  const finish = async (blob) => {
    let sound;
    try {
      // Decoding for a context of this rate resamples to it.
      sound = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await blob.arrayBuffer());
    } catch {
      showMessage(recorder.dataset.none);
      return;
    }
    const samples = sound.getChannelData(0);
    if (!samples.some((sample) => Math.abs(sample) > LOUD_ENOUGH)) {
      showMessage(recorder.dataset.none);
      return;
    }
    taken = new Blob([encodeWav(samples, RATE)], { type: "audio/wav" });
    const player = document.createElement("div");
    player.className = "player";
    const { play, stop, seek, icons } = recorder.dataset;
    Object.assign(player.dataset, { play, stop, seek, icons, seconds: String(sound.duration) });
    const audio = document.createElement("audio");
    audio.src = URL.createObjectURL(taken);
    player.append(audio);
    part("preview").replaceChildren(player);
    makePlayer(player, async () => outline(samples, 96));
    part("take").hidden = false;
    (recorder.querySelector("#record-name") ?? part("keep")).focus();
  };

  button.addEventListener("click", () => {
    if (running) {
      running.stop();
      running = null;
      show(false);
    } else {
      start();
    }
  });
  part("drop").addEventListener("click", () => {
    taken = null;
    part("take").hidden = true;
    part("time").textContent = "0:00";
    button.focus();
  });
  part("keep").addEventListener("click", () => {
    const name = recorder.querySelector("#record-name");
    const body = new FormData(form);
    const chosen = name ? name.value.trim() || recorder.dataset.name : body.get("name");
    body.set("name", /\.wav$/i.test(chosen) ? chosen : `${chosen}.wav`);
    body.set("file", taken, "recording.wav");
    send(form, body, senders);
  });
};

const outline = (samples, count) => {
  const tops = Array.from({ length: count }, (_, part) => {
    let top = 0;
    const end = Math.floor(((part + 1) * samples.length) / count);
    for (let at = Math.floor((part * samples.length) / count); at < end; at += 1) {
      top = Math.max(top, Math.abs(samples[at]));
    }
    return top;
  });
  const loudest = Math.max(...tops, 1e-6);
  return tops.map((top) => Math.round((100 * top) / loudest));
};

const wire = (root) => {
  wirePlayers(root);
  for (const senders of root.querySelectorAll(".senders")) {
    wireSender(senders);
    wireRecorder(senders);
  }
};

wire(document);
