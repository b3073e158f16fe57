// How the page calls for attention: the screen reader, a sound, a system notification.

import { $, make } from "./dom.js";

/// Lets a screen reader say a text once. The log is no live region: some readers repeat those.
export function announce(textContent, urgent) {
  const line = make("p", { textContent });
  $(urgent ? "urgent" : "polite").append(line);
  setTimeout(() => line.remove(), 5000);
}

let audio;

/// Two soft notes.
export function beep() {
  audio ??= new AudioContext();
  audio.resume();
  for (const [n, pitch] of [660, 880].entries()) {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    const start = audio.currentTime + n * 0.14;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.12, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.25);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.3);
  }
}

export function notify(title, body) {
  try {
    const shown = new Notification(title, { body, tag: "chinwag", icon: "icon.svg" });
    shown.onclick = () => (window.focus(), shown.close());
  } catch {
    // Android lets only service workers notify.
  }
}
