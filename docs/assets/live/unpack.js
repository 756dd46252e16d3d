// Unpacks what worker.js sends. Of a pack that is no pack, nothing comes back.
import { unpacked } from "./start.js";

onmessage = ({ data }) =>
  unpacked(new Response(data)).then(
    (bytes) => postMessage(bytes, [bytes.buffer]),
    () => postMessage(undefined),
  );
