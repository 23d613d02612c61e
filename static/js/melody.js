// @ts-check
// Three melodies, by the patterns of IEC 60601-1-8: so many pulses for each priority, so far apart, rich in harmonics.

/** @typedef {"high" | "medium" | "low"} Priority */

const C5_HZ = 523.25;
const E5_HZ = 659.26;
const LEVELS = [0, 1, 0.8, 0.7, 0.6, 0.5]; // of the fundamental and its harmonics: all within 6 dB, five of them in 300–4000 Hz
const RISE_S = 0.025;

/** When each pulse begins, how long it lasts and what it sounds: 3 + 2 twice; three; two that fall. */
const BURSTS = {
  high: { pulse_s: 0.15, starts_s: [0, 0.25, 0.5, 1, 1.25, 2.2, 2.45, 2.7, 3.2, 3.45], notes_hz: [C5_HZ] },
  medium: { pulse_s: 0.2, starts_s: [0, 0.4, 0.8], notes_hz: [C5_HZ] },
  low: { pulse_s: 0.2, starts_s: [0, 0.4], notes_hz: [E5_HZ, C5_HZ] },
};

/** From the beginning of a burst to that of the next. @type {Record<Priority, number>} */
export const EVERY_MS = { high: 10_000, medium: 25_000, low: 30_000 };

/**
 * One burst, from now. Call what you get to end it at once.
 * @param {BaseAudioContext} context @param {Priority} priority @param {number} volume 0 to 1
 */
export function playMelody(context, priority, volume) {
  const { pulse_s, starts_s, notes_hz } = BURSTS[priority];
  const wave = context.createPeriodicWave(new Float32Array(LEVELS.length), new Float32Array(LEVELS));
  const loudness = new GainNode(context, { gain: volume ** 2 }); // ears hear in ratios
  loudness.connect(context.destination);
  starts_s.forEach((start_s, number) => {
    const from = context.currentTime + start_s;
    const envelope = new GainNode(context, { gain: 0 });
    envelope.gain.setValueAtTime(0, from);
    envelope.gain.linearRampToValueAtTime(1, from + RISE_S);
    envelope.gain.setValueAtTime(1, from + pulse_s - RISE_S);
    envelope.gain.linearRampToValueAtTime(0, from + pulse_s);
    const tone = new OscillatorNode(context, { type: "custom", periodicWave: wave, frequency: notes_hz[number % notes_hz.length] });
    tone.connect(envelope).connect(loudness);
    tone.start(from);
    tone.stop(from + pulse_s);
  });
  return () => loudness.disconnect();
}
