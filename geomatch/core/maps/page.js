/* A map of what the element "donnees" holds; everything is in the page, nothing is fetched. */
(function () {
  "use strict";
  const told = JSON.parse(document.getElementById("donnees").textContent);
  const map = L.map("carte", { preferCanvas: true, zoomSnap: 0.5, maxZoom: 20 });
  map.attributionControl.setPrefix("Leaflet");

  if (Object.keys(told.tiles).length) {
    const levels = Object.keys(told.tiles).map((key) => Number(key.split("/")[0]));
    const Tiles = L.GridLayer.extend({
      createTile: function (at) {
        const picture = document.createElement("img");
        const found = told.tiles[at.z + "/" + at.x + "/" + at.y];
        if (found) picture.src = found;
        picture.alt = "";
        return picture;
      },
    });
    new Tiles({
      minNativeZoom: Math.min(...levels),
      maxNativeZoom: Math.max(...levels),
      maxZoom: 20,
    }).addTo(map);
  }
  if (told.shapes)
    L.geoJSON(told.shapes, {
      interactive: false,
      style: { color: "#c4bca8", weight: 1, fillOpacity: 0.08 },
      pointToLayer: (_, at) => L.circleMarker(at, { radius: 1 }),
    }).addTo(map);

  function card(pairs) {
    const list = document.createElement("dl");
    for (const [label, value] of pairs) {
      list.appendChild(document.createElement("dt")).textContent = label;
      list.appendChild(document.createElement("dd")).textContent = value;
    }
    return list;
  }

  const shown = {};
  for (const layer of told.layers) {
    const group = L.layerGroup();
    for (const line of layer.lines)
      L.polyline(line, { color: "#5a5a60", weight: 1, dashArray: "4 4", interactive: false }).addTo(group);
    for (const [lat, lon, radius, pairs] of layer.points) {
      if (radius > 0)
        L.circle([lat, lon], {
          radius: radius, color: layer.colour, weight: 1, fillOpacity: radius > 1000 ? 0 : 0.08,
          interactive: false,
        }).addTo(group);
      L.circleMarker([lat, lon], {
        radius: layer.size, color: "#ffffff", weight: 1, fillColor: layer.colour, fillOpacity: 0.95,
      })
        .bindTooltip(() => card(pairs), { sticky: true })
        .bindPopup(() => card(pairs), { maxWidth: 420 })
        .addTo(group);
    }
    group.addTo(map);
    const name = document.createElement("span");
    const dot = name.appendChild(document.createElement("i"));
    dot.style.background = layer.colour;
    name.appendChild(document.createTextNode(layer.name + " (" + layer.count + ")"));
    shown[name.outerHTML] = group;
  }
  L.control.layers(null, shown, { collapsed: false }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  if (told.bounds) map.fitBounds(told.bounds, { padding: [30, 30], maxZoom: 18 });
  else map.setView([46.6, 2.4], 6);
})();
