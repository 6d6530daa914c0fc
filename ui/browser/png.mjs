// Makes a picture of a browser smaller, without a change of any pixel: no alpha, and better compressed.
import zlib from "node:zlib";

const SIGNATURE = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
const RGB = 2;
const RGBA = 6;

/** The same picture in fewer bytes; an error if it is none that a browser takes of an opaque page. */
export function shrink(data) {
  const { width, height, pixels } = decode(data);
  const bodies = [0, 1, 2].map((how) => zlib.deflateSync(filter(pixels, width * 3, how), { level: 9, memLevel: 9 }));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, RGB], 8);
  const smallest = bodies.reduce((one, other) => (other.length < one.length ? other : one));
  const made = Buffer.concat([SIGNATURE, chunk("IHDR", header), chunk("IDAT", smallest), chunk("IEND", Buffer.alloc(0))]);
  return made.length < data.length ? made : data;
}

/** Width, height, and red, green and blue of each pixel. */
export function decode(data) {
  const found = chunks(data);
  const header = found.find(({ name }) => name === "IHDR").body;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const [depth, kind, , , interlaced] = header.subarray(8);
  if (depth !== 8 || ![RGB, RGBA].includes(kind) || interlaced) {
    throw new Error(`a picture of depth ${depth} and kind ${kind}`);
  }
  const raw = zlib.inflateSync(Buffer.concat(found.filter(({ name }) => name === "IDAT").map(({ body }) => body)));
  const channels = kind === RGBA ? 4 : 3;
  return { width, height, pixels: opaque(unfilter(raw, width * channels, height, channels), channels) };
}

function chunks(data) {
  if (!data.subarray(0, 8).equals(SIGNATURE)) {
    throw new Error("no PNG");
  }
  const found = [];
  for (let place = 8; place < data.length; ) {
    const length = data.readUInt32BE(place);
    found.push({ name: data.toString("latin1", place + 4, place + 8), body: data.subarray(place + 8, place + 8 + length) });
    place += length + 12;
  }
  return found;
}

function unfilter(raw, stride, height, channels) {
  const out = Buffer.alloc(stride * height);
  for (let row = 0; row < height; row++) {
    const how = raw[row * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const place = row * stride + x;
      const left = x >= channels ? out[place - channels] : 0;
      const up = row ? out[place - stride] : 0;
      const corner = row && x >= channels ? out[place - stride - channels] : 0;
      out[place] = raw[row * (stride + 1) + 1 + x] + [0, left, up, (left + up) >> 1, how === 4 ? paeth(left, up, corner) : 0][how];
    }
  }
  return out;
}

function paeth(left, up, corner) {
  const [toLeft, toUp, toCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (toLeft <= toUp && toLeft <= toCorner) {
    return left;
  }
  return toUp <= toCorner ? up : corner;
}

function opaque(bytes, channels) {
  if (channels === 3) {
    return bytes;
  }
  const out = Buffer.alloc((bytes.length / 4) * 3);
  for (let from = 0, to = 0; from < bytes.length; from += 4, to += 3) {
    if (bytes[from + 3] !== 255) {
      throw new Error("a pixel is transparent");
    }
    out.set(bytes.subarray(from, from + 3), to);
  }
  return out;
}

function filter(pixels, stride, how) {
  const height = pixels.length / stride;
  const out = Buffer.alloc(pixels.length + height);
  for (let row = 0; row < height; row++) {
    out[row * (stride + 1)] = how;
    for (let x = 0; x < stride; x++) {
      const place = row * stride + x;
      const before = [0, x >= 3 ? pixels[place - 3] : 0, row ? pixels[place - stride] : 0][how];
      out[row * (stride + 1) + 1 + x] = pixels[place] - before;
    }
  }
  return out;
}

function chunk(name, body) {
  const out = Buffer.alloc(body.length + 12);
  out.writeUInt32BE(body.length, 0);
  out.write(name, 4, "latin1");
  body.copy(out, 8);
  out.writeUInt32BE(crc(out.subarray(4, body.length + 8)), body.length + 8);
  return out;
}

const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) {
    value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return value >>> 0;
});

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value = (value >>> 8) ^ TABLE[(value ^ byte) & 0xff];
  }
  return (value ^ 0xffffffff) >>> 0;
}
