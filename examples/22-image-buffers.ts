// Image work on buffers that are moved to a thread and back, not copied. Run: node dist/examples/22-image-buffers.js
import { isWorker, portable, transfer } from 'simul/callable';
import { asCompleted, ThreadPoolExecutor } from 'simul/futures';

const [width, height] = [640, 480];

type Pixels = Uint8Array<ArrayBuffer>;

export const blur = portable(import.meta, 'blur', (name: string, pixels: Pixels) => {
  const blurred = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [sum, count] = [0, 0];
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const [u, v] = [x + dx, y + dy];
          if (u < 0 || v < 0 || u >= width || v >= height) continue;
          sum += pixels[v * width + u]!;
          count++;
        }
      }
      blurred[y * width + x] = sum / count;
    }
  }
  const image = { name, pixels: blurred };
  return transfer(image, [blurred.buffer]);
});

if (!isWorker()) await main();

async function main(): Promise<void> {
  await using pool = new ThreadPoolExecutor({ maxWorkers: 2 });
  const futures = ['black', 'grey', 'white'].map((name, i) => {
    const pixels = new Uint8Array(width * height).fill(i * 127);
    const future = pool.submit(blur, name, transfer(pixels, [pixels.buffer]));
    console.log(name, 'moved away, bytes left here:', pixels.length);
    return future;
  });
  const seen: string[] = [];
  for await (const [future] of asCompleted(futures)) {
    const { name, pixels } = await future.result();
    seen.push(`${name} ${pixels.length} bytes, the first ${pixels[0]}`);
  }
  for (const line of seen.sort()) console.log(line);
}
