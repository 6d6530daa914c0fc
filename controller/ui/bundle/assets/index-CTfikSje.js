var e=globalThis,t=e.ShadowRoot&&(e.ShadyCSS===void 0||e.ShadyCSS.nativeShadow)&&`adoptedStyleSheets`in Document.prototype&&`replace`in CSSStyleSheet.prototype,n=Symbol(),r=new WeakMap,i=class{constructor(e,t,r){if(this._$cssResult$=!0,r!==n)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o,n=this.t;if(t&&e===void 0){let t=n!==void 0&&n.length===1;t&&(e=r.get(n)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),t&&r.set(n,e))}return e}toString(){return this.cssText}},a=e=>new i(typeof e==`string`?e:e+``,void 0,n),o=(e,...t)=>new i(e.length===1?e[0]:t.reduce((t,n,r)=>t+(e=>{if(!0===e._$cssResult$)return e.cssText;if(typeof e==`number`)return e;throw Error(`Value passed to 'css' function must be a 'css' function result: `+e+`. Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.`)})(n)+e[r+1],e[0]),e,n),s=(n,r)=>{if(t)n.adoptedStyleSheets=r.map(e=>e instanceof CSSStyleSheet?e:e.styleSheet);else for(let t of r){let r=document.createElement(`style`),i=e.litNonce;i!==void 0&&r.setAttribute(`nonce`,i),r.textContent=t.cssText,n.appendChild(r)}},c=t?e=>e:e=>e instanceof CSSStyleSheet?(e=>{let t=``;for(let n of e.cssRules)t+=n.cssText;return a(t)})(e):e,{is:l,defineProperty:u,getOwnPropertyDescriptor:d,getOwnPropertyNames:f,getOwnPropertySymbols:p,getPrototypeOf:m}=Object,h=globalThis,ee=h.trustedTypes,te=ee?ee.emptyScript:``,ne=h.reactiveElementPolyfillSupport,re=(e,t)=>e,ie={toAttribute(e,t){switch(t){case Boolean:e=e?te:null;break;case Object:case Array:e=e==null?e:JSON.stringify(e)}return e},fromAttribute(e,t){let n=e;switch(t){case Boolean:n=e!==null;break;case Number:n=e===null?null:Number(e);break;case Object:case Array:try{n=JSON.parse(e)}catch{n=null}}return n}},ae=(e,t)=>!l(e,t),oe={attribute:!0,type:String,converter:ie,reflect:!1,useDefault:!1,hasChanged:ae};Symbol.metadata??=Symbol(`metadata`),h.litPropertyMetadata??=new WeakMap;var se=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=oe){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){let n=Symbol(),r=this.getPropertyDescriptor(e,n,t);r!==void 0&&u(this.prototype,e,r)}}static getPropertyDescriptor(e,t,n){let{get:r,set:i}=d(this.prototype,e)??{get(){return this[t]},set(e){this[t]=e}};return{get:r,set(t){let a=r?.call(this);i?.call(this,t),this.requestUpdate(e,a,n)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??oe}static _$Ei(){if(this.hasOwnProperty(re(`elementProperties`)))return;let e=m(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(re(`finalized`)))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(re(`properties`))){let e=this.properties,t=[...f(e),...p(e)];for(let n of t)this.createProperty(n,e[n])}let e=this[Symbol.metadata];if(e!==null){let t=litPropertyMetadata.get(e);if(t!==void 0)for(let[e,n]of t)this.elementProperties.set(e,n)}this._$Eh=new Map;for(let[e,t]of this.elementProperties){let n=this._$Eu(e,t);n!==void 0&&this._$Eh.set(n,e)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let t=[];if(Array.isArray(e)){let n=new Set(e.flat(1/0).reverse());for(let e of n)t.unshift(c(e))}else e!==void 0&&t.push(c(e));return t}static _$Eu(e,t){let n=t.attribute;return!1===n?void 0:typeof n==`string`?n:typeof e==`string`?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,t=this.constructor.elementProperties;for(let n of t.keys())this.hasOwnProperty(n)&&(e.set(n,this[n]),delete this[n]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return s(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,n){this._$AK(e,n)}_$ET(e,t){let n=this.constructor.elementProperties.get(e),r=this.constructor._$Eu(e,n);if(r!==void 0&&!0===n.reflect){let i=(n.converter?.toAttribute===void 0?ie:n.converter).toAttribute(t,n.type);this._$Em=e,i==null?this.removeAttribute(r):this.setAttribute(r,i),this._$Em=null}}_$AK(e,t){let n=this.constructor,r=n._$Eh.get(e);if(r!==void 0&&this._$Em!==r){let e=n.getPropertyOptions(r),i=typeof e.converter==`function`?{fromAttribute:e.converter}:e.converter?.fromAttribute===void 0?ie:e.converter;this._$Em=r;let a=i.fromAttribute(t,e.type);this[r]=a??this._$Ej?.get(r)??a,this._$Em=null}}requestUpdate(e,t,n,r=!1,i){if(e!==void 0){let a=this.constructor;if(!1===r&&(i=this[e]),n??=a.getPropertyOptions(e),!((n.hasChanged??ae)(i,t)||n.useDefault&&n.reflect&&i===this._$Ej?.get(e)&&!this.hasAttribute(a._$Eu(e,n))))return;this.C(e,t,n)}!1===this.isUpdatePending&&(this._$ES=this._$EP())}C(e,t,{useDefault:n,reflect:r,wrapped:i},a){n&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,a??t??this[e]),!0!==i||a!==void 0)||(this._$AL.has(e)||(this.hasUpdated||n||(t=void 0),this._$AL.set(e,t)),!0===r&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(e){Promise.reject(e)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[e,t]of this._$Ep)this[e]=t;this._$Ep=void 0}let e=this.constructor.elementProperties;if(e.size>0)for(let[t,n]of e){let{wrapped:e}=n,r=this[t];!0!==e||this._$AL.has(t)||r===void 0||this.C(t,void 0,n,r)}}let e=!1,t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(e=>e.hostUpdate?.()),this.update(t)):this._$EM()}catch(t){throw e=!1,this._$EM(),t}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(e=>e.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(e=>this._$ET(e,this[e])),this._$EM()}updated(e){}firstUpdated(e){}};se.elementStyles=[],se.shadowRootOptions={mode:`open`},se[re(`elementProperties`)]=new Map,se[re(`finalized`)]=new Map,ne?.({ReactiveElement:se}),(h.reactiveElementVersions??=[]).push(`2.1.2`);var ce=globalThis,le=e=>e,ue=ce.trustedTypes,de=ue?ue.createPolicy(`lit-html`,{createHTML:e=>e}):void 0,fe=`$lit$`,g=`lit$${Math.random().toFixed(9).slice(2)}$`,pe=`?`+g,me=`<${pe}>`,_=document,he=()=>_.createComment(``),ge=e=>e===null||typeof e!=`object`&&typeof e!=`function`,_e=Array.isArray,ve=e=>_e(e)||typeof e?.[Symbol.iterator]==`function`,ye=`[ 	
\f\r]`,be=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,xe=/-->/g,Se=/>/g,v=RegExp(`>|${ye}(?:([^\\s"'>=/]+)(${ye}*=${ye}*(?:[^ \t\n\f\r"'\`<>=]|("|')|))|$)`,`g`),Ce=/'/g,we=/"/g,Te=/^(?:script|style|textarea|title)$/i,Ee=e=>(t,...n)=>({_$litType$:e,strings:t,values:n}),y=Ee(1),De=Ee(2),b=Symbol.for(`lit-noChange`),x=Symbol.for(`lit-nothing`),Oe=new WeakMap,S=_.createTreeWalker(_,129);function ke(e,t){if(!_e(e)||!e.hasOwnProperty(`raw`))throw Error(`invalid template strings array`);return de===void 0?t:de.createHTML(t)}var Ae=(e,t)=>{let n=e.length-1,r=[],i,a=t===2?`<svg>`:t===3?`<math>`:``,o=be;for(let t=0;t<n;t++){let n=e[t],s,c,l=-1,u=0;for(;u<n.length&&(o.lastIndex=u,c=o.exec(n),c!==null);)u=o.lastIndex,o===be?c[1]===`!--`?o=xe:c[1]===void 0?c[2]===void 0?c[3]!==void 0&&(o=v):(Te.test(c[2])&&(i=RegExp(`</`+c[2],`g`)),o=v):o=Se:o===v?c[0]===`>`?(o=i??be,l=-1):c[1]===void 0?l=-2:(l=o.lastIndex-c[2].length,s=c[1],o=c[3]===void 0?v:c[3]===`"`?we:Ce):o===we||o===Ce?o=v:o===xe||o===Se?o=be:(o=v,i=void 0);let d=o===v&&e[t+1].startsWith(`/>`)?` `:``;a+=o===be?n+me:l>=0?(r.push(s),n.slice(0,l)+fe+n.slice(l)+g+d):n+g+(l===-2?t:d)}return[ke(e,a+(e[n]||`<?>`)+(t===2?`</svg>`:t===3?`</math>`:``)),r]},je=class e{constructor({strings:t,_$litType$:n},r){let i;this.parts=[];let a=0,o=0,s=t.length-1,c=this.parts,[l,u]=Ae(t,n);if(this.el=e.createElement(l,r),S.currentNode=this.el.content,n===2||n===3){let e=this.el.content.firstChild;e.replaceWith(...e.childNodes)}for(;(i=S.nextNode())!==null&&c.length<s;){if(i.nodeType===1){if(i.hasAttributes())for(let e of i.getAttributeNames())if(e.endsWith(fe)){let t=u[o++],n=i.getAttribute(e).split(g),r=/([.?@])?(.*)/.exec(t);c.push({type:1,index:a,name:r[2],strings:n,ctor:r[1]===`.`?Ie:r[1]===`?`?Le:r[1]===`@`?Re:Fe}),i.removeAttribute(e)}else e.startsWith(g)&&(c.push({type:6,index:a}),i.removeAttribute(e));if(Te.test(i.tagName)){let e=i.textContent.split(g),t=e.length-1;if(t>0){i.textContent=ue?ue.emptyScript:``;for(let n=0;n<t;n++)i.append(e[n],he()),S.nextNode(),c.push({type:2,index:++a});i.append(e[t],he())}}}else if(i.nodeType===8){if(i.data===pe)c.push({type:2,index:a});else{let e=-1;for(;(e=i.data.indexOf(g,e+1))!==-1;)c.push({type:7,index:a}),e+=g.length-1}}a++}}static createElement(e,t){let n=_.createElement(`template`);return n.innerHTML=e,n}};function Me(e,t,n=e,r){if(t===b)return t;let i=r===void 0?n._$Cl:n._$Co?.[r],a=ge(t)?void 0:t._$litDirective$;return i?.constructor!==a&&(i?._$AO?.(!1),a===void 0?i=void 0:(i=new a(e),i._$AT(e,n,r)),r===void 0?n._$Cl=i:(n._$Co??=[])[r]=i),i!==void 0&&(t=Me(e,i._$AS(e,t.values),i,r)),t}var Ne=class{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:t},parts:n}=this._$AD,r=(e?.creationScope??_).importNode(t,!0);S.currentNode=r;let i=S.nextNode(),a=0,o=0,s=n[0];for(;s!==void 0;){if(a===s.index){let t;s.type===2?t=new Pe(i,i.nextSibling,this,e):s.type===1?t=new s.ctor(i,s.name,s.strings,this,e):s.type===6&&(t=new ze(i,this,e)),this._$AV.push(t),s=n[++o]}a!==s?.index&&(i=S.nextNode(),a++)}return S.currentNode=_,r}p(e){let t=0;for(let n of this._$AV)n!==void 0&&(n.strings===void 0?n._$AI(e[t]):(n._$AI(e,n,t),t+=n.strings.length-2)),t++}},Pe=class e{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,t,n,r){this.type=2,this._$AH=x,this._$AN=void 0,this._$AA=e,this._$AB=t,this._$AM=n,this.options=r,this._$Cv=r?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode,t=this._$AM;return t!==void 0&&e?.nodeType===11&&(e=t.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,t=this){e=Me(this,e,t),ge(e)?e===x||e==null||e===``?(this._$AH!==x&&this._$AR(),this._$AH=x):e!==this._$AH&&e!==b&&this._(e):e._$litType$===void 0?e.nodeType===void 0?ve(e)?this.k(e):this._(e):this.T(e):this.$(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==x&&ge(this._$AH)?this._$AA.nextSibling.data=e:this.T(_.createTextNode(e)),this._$AH=e}$(e){let{values:t,_$litType$:n}=e,r=typeof n==`number`?this._$AC(e):(n.el===void 0&&(n.el=je.createElement(ke(n.h,n.h[0]),this.options)),n);if(this._$AH?._$AD===r)this._$AH.p(t);else{let e=new Ne(r,this),n=e.u(this.options);e.p(t),this.T(n),this._$AH=e}}_$AC(e){let t=Oe.get(e.strings);return t===void 0&&Oe.set(e.strings,t=new je(e)),t}k(t){_e(this._$AH)||(this._$AH=[],this._$AR());let n=this._$AH,r,i=0;for(let a of t)i===n.length?n.push(r=new e(this.O(he()),this.O(he()),this,this.options)):r=n[i],r._$AI(a),i++;i<n.length&&(this._$AR(r&&r._$AB.nextSibling,i),n.length=i)}_$AR(e=this._$AA.nextSibling,t){for(this._$AP?.(!1,!0,t);e!==this._$AB;){let t=le(e).nextSibling;le(e).remove(),e=t}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}},Fe=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,n,r,i){this.type=1,this._$AH=x,this._$AN=void 0,this.element=e,this.name=t,this._$AM=r,this.options=i,n.length>2||n[0]!==``||n[1]!==``?(this._$AH=Array(n.length-1).fill(new String),this.strings=n):this._$AH=x}_$AI(e,t=this,n,r){let i=this.strings,a=!1;if(i===void 0)e=Me(this,e,t,0),a=!ge(e)||e!==this._$AH&&e!==b,a&&(this._$AH=e);else{let r=e,o,s;for(e=i[0],o=0;o<i.length-1;o++)s=Me(this,r[n+o],t,o),s===b&&(s=this._$AH[o]),a||=!ge(s)||s!==this._$AH[o],s===x?e=x:e!==x&&(e+=(s??``)+i[o+1]),this._$AH[o]=s}a&&!r&&this.j(e)}j(e){e===x?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??``)}},Ie=class extends Fe{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===x?void 0:e}},Le=class extends Fe{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==x)}},Re=class extends Fe{constructor(e,t,n,r,i){super(e,t,n,r,i),this.type=5}_$AI(e,t=this){if((e=Me(this,e,t,0)??x)===b)return;let n=this._$AH,r=e===x&&n!==x||e.capture!==n.capture||e.once!==n.once||e.passive!==n.passive,i=e!==x&&(n===x||r);r&&this.element.removeEventListener(this.name,this,n),i&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH==`function`?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},ze=class{constructor(e,t,n){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=n}get _$AU(){return this._$AM._$AU}_$AI(e){Me(this,e)}},Be={M:fe,P:g,A:pe,C:1,L:Ae,R:Ne,D:ve,V:Me,I:Pe,H:Fe,N:Le,U:Re,B:Ie,F:ze},Ve=ce.litHtmlPolyfillSupport;Ve?.(je,Pe),(ce.litHtmlVersions??=[]).push(`3.3.3`);var He=(e,t,n)=>{let r=n?.renderBefore??t,i=r._$litPart$;if(i===void 0){let e=n?.renderBefore??null;r._$litPart$=i=new Pe(t.insertBefore(he(),e),e,void 0,n??{})}return i._$AI(e),i},Ue=globalThis,C=class extends se{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=He(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return b}};C._$litElement$=!0,C.finalized=!0,Ue.litElementHydrateSupport?.({LitElement:C});var We=Ue.litElementPolyfillSupport;We?.({LitElement:C}),(Ue.litElementVersions??=[]).push(`4.2.2`);var Ge=e=>(t,n)=>{n===void 0?customElements.define(e,t):n.addInitializer(()=>{customElements.define(e,t)})},Ke={attribute:!0,type:String,converter:ie,reflect:!1,hasChanged:ae},qe=(e=Ke,t,n)=>{let{kind:r,metadata:i}=n,a=globalThis.litPropertyMetadata.get(i);if(a===void 0&&globalThis.litPropertyMetadata.set(i,a=new Map),r===`setter`&&((e=Object.create(e)).wrapped=!0),a.set(n.name,e),r===`accessor`){let{name:r}=n;return{set(n){let i=t.get.call(this);t.set.call(this,n),this.requestUpdate(r,i,e,!0,n)},init(t){return t!==void 0&&this.C(r,void 0,e,t),t}}}if(r===`setter`){let{name:r}=n;return function(n){let i=this[r];t.call(this,n),this.requestUpdate(r,i,e,!0,n)}}throw Error(`Unsupported decorator location: `+r)};function w(e){return(t,n)=>typeof n==`object`?qe(e,t,n):((e,t,n)=>{let r=t.hasOwnProperty(n);return t.constructor.createProperty(n,e),r?Object.getOwnPropertyDescriptor(t,n):void 0})(e,t,n)}function T(e){return w({...e,state:!0,attribute:!1})}var Je=(e,t,n)=>(n.configurable=!0,n.enumerable=!0,Reflect.decorate&&typeof t!=`object`&&Object.defineProperty(e,t,n),n);function Ye(e,t){return(n,r,i)=>{let a=t=>t.renderRoot?.querySelector(e)??null;if(t){let{get:e,set:t}=typeof r==`object`?n:i??(()=>{let e=Symbol();return{get(){return this[e]},set(t){this[e]=t}}})();return Je(n,r,{get(){let n=e.call(this);return n===void 0&&(n=a(this),(n!==null||this.hasUpdated)&&t.call(this,n)),n}})}return Je(n,r,{get(){return a(this)}})}}var Xe={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},Ze=e=>(...t)=>({_$litDirective$:e,values:t}),Qe=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,t,n){this._$Ct=e,this._$AM=t,this._$Ci=n}_$AS(e,t){return this.update(e,t)}update(e,t){return this.render(...t)}},{I:$e}=Be,et=e=>e,tt=(e,t)=>t===void 0?e?._$litType$!==void 0:e?._$litType$===t,nt=e=>e?._$litType$?.h!=null,rt=()=>document.createComment(``),E=(e,t,n)=>{let r=e._$AA.parentNode,i=t===void 0?e._$AB:t._$AA;if(n===void 0)n=new $e(r.insertBefore(rt(),i),r.insertBefore(rt(),i),e,e.options);else{let t=n._$AB.nextSibling,a=n._$AM,o=a!==e;if(o){let t;n._$AQ?.(e),n._$AM=e,n._$AP!==void 0&&(t=e._$AU)!==a._$AU&&n._$AP(t)}if(t!==i||o){let e=n._$AA;for(;e!==t;){let t=et(e).nextSibling;et(r).insertBefore(e,i),e=t}}}return n},D=(e,t,n=e)=>(e._$AI(t,n),e),it={},at=(e,t=it)=>e._$AH=t,ot=e=>e._$AH,st=e=>{e._$AR(),e._$AA.remove()},ct=e=>{e._$AR()},lt=e=>nt(e)?e._$litType$.h:e.strings,ut=Ze(class extends Qe{constructor(e){super(e),this.et=new WeakMap}render(e){return[e]}update(e,[t]){let n=tt(this.it)?lt(this.it):null,r=tt(t)?lt(t):null;if(n!==null&&(r===null||n!==r)){let t=ot(e).pop(),r=this.et.get(n);r===void 0&&(r=He(x,document.createDocumentFragment()),r.setConnected(!1),this.et.set(n,r)),at(r,[t]),E(r,void 0,t)}if(r!==null){if(n===null||n!==r){let t=this.et.get(r);if(t!==void 0){let n=ot(t).pop();ct(e),E(e,void 0,n),at(e,[n])}}this.it=t}else this.it=void 0;return this.render(t)}});function dt(e){let t=O(e),n=O(t.metadata),r=O(t.status),i=_t(r.latestRun)?mt(r.latestRun):null,a=k(r.stacks).map(pt).filter(e=>e.id!==``),o=Date.parse(A(O(r.graph).resolvedTime)),s=i!==null&&i.startTime!==``&&o>=Date.parse(i.startTime);return{namespace:A(n.namespace),name:A(n.name),ready:ft(r).find(e=>e.type===`Ready`)??null,run:i,nextTime:A(O(r.schedule).nextTime),history:k(r.history).map(mt),stacks:s?gt(a):[],isBeforeStacks:i!==null&&!s}}function ft(e){return k(e.conditions).map(e=>{let t=O(e);return{type:A(t.type),status:A(t.status),reason:A(t.reason),message:A(t.message)}})}function pt(e){let t=O(e),n=A(t.id),r=O(t.delta),i=O(t.heldBy);return{id:n,name:A(t.name)||n,level:Math.max(0,Math.trunc(M(t.level,0))),phase:A(t.phase)||`Pending`,dependsOn:k(t.dependsOn).filter(e=>typeof e==`string`),reason:A(t.reason),message:A(t.message),runId:A(t.runId),runSource:A(t.runSource),runState:A(t.runState),runUrl:ht(t.runUrl),attempts:M(t.attempts,1),startTime:A(t.startTime),completionTime:A(t.completionTime),delta:_t(t.delta)?{added:M(r.added,0),changed:M(r.changed,0),deleted:M(r.deleted,0)}:null,blockedBy:A(t.blockedBy),heldBy:_t(t.heldBy)?{needsPerson:i.needsPerson===!0,url:ht(i.url)}:null,unusedRuns:k(t.unusedRuns).map(e=>{let t=O(e);return{runId:A(t.runId),runState:A(t.runState),runUrl:ht(t.runUrl)}})}}function mt(e){let t=O(e);return{number:M(t.number,0),cause:A(t.cause),operation:A(t.operation)||`Apply`,phase:A(t.phase)||`Pending`,reason:A(t.reason),message:A(t.message),progress:A(t.progress),startTime:A(t.startTime),completionTime:A(t.completionTime),estimatedCompletionTime:A(t.estimatedCompletionTime),workflowUrl:ht(t.workflowUrl),changes:A(O(t.changes).text),summary:Object.fromEntries(Object.entries(O(t.summary)).filter(e=>typeof e[1]==`number`))}}function ht(e){if(typeof e!=`string`||!URL.canParse(e))return``;let t=new URL(e);return(t.protocol===`https:`||t.protocol===`http:`)&&t.username===``&&t.password===``?t.href:``}function gt(e){return[...new Map(e.map(e=>[e.id,e])).values()]}function _t(e){return typeof e==`object`&&!!e&&!Array.isArray(e)}function O(e){return _t(e)?e:{}}function k(e){return Array.isArray(e)?e:[]}function A(e){return typeof e==`string`?e:``}function j(e,t){return Object.hasOwn(e,t)?e[t]:void 0}function M(e,t){return typeof e==`number`&&Number.isFinite(e)?e:t}var vt=(e,t,n)=>{let r=new Map;for(let i=t;i<=n;i++)r.set(e[i],i);return r},yt=Ze(class extends Qe{constructor(e){if(super(e),e.type!==Xe.CHILD)throw Error(`repeat() can only be used in text expressions`)}dt(e,t,n){let r;n===void 0?n=t:t!==void 0&&(r=t);let i=[],a=[],o=0;for(let t of e)i[o]=r?r(t,o):o,a[o]=n(t,o),o++;return{values:a,keys:i}}render(e,t,n){return this.dt(e,t,n).values}update(e,[t,n,r]){let i=ot(e),{values:a,keys:o}=this.dt(t,n,r);if(!Array.isArray(i))return this.ut=o,a;let s=this.ut??=[],c=[],l,u,d=0,f=i.length-1,p=0,m=a.length-1;for(;d<=f&&p<=m;)if(i[d]===null)d++;else if(i[f]===null)f--;else if(s[d]===o[p])c[p]=D(i[d],a[p]),d++,p++;else if(s[f]===o[m])c[m]=D(i[f],a[m]),f--,m--;else if(s[d]===o[m])c[m]=D(i[d],a[m]),E(e,c[m+1],i[d]),d++,m--;else if(s[f]===o[p])c[p]=D(i[f],a[p]),E(e,i[d],i[f]),f--,p++;else if(l===void 0&&(l=vt(o,p,m),u=vt(s,d,f)),l.has(s[d])){if(l.has(s[f])){let t=u.get(o[p]),n=t===void 0?null:i[t];if(n===null){let t=E(e,i[d]);D(t,a[p]),c[p]=t}else c[p]=D(n,a[p]),E(e,i[d],n),i[t]=null;p++}else st(i[f]),f--}else st(i[d]),d++;for(;p<=m;){let t=E(e,c[m+1]);D(t,a[p]),c[p++]=t}for(;d<=f;){let e=i[d++];e!==null&&st(e)}return this.ut=o,at(e,c),b}}),bt={Failed:{word:`Failed`,glyph:`cross`,tone:`bad`,rank:0},TimedOut:{word:`Timed out`,glyph:`clock`,tone:`bad`,rank:1},Canceled:{word:`Canceled`,glyph:`stop`,tone:`bad`,rank:2},AwaitingConfirmation:{word:`Awaits confirmation`,glyph:`person`,tone:`attention`,rank:3},Waiting:{word:`Waiting`,glyph:`hourglass`,tone:`attention`,rank:4},Running:{word:`Running`,glyph:`play`,tone:`active`,rank:5},Pending:{word:`Pending`,glyph:`dot`,tone:`faint`,rank:6},Skipped:{word:`Skipped`,glyph:`dash`,tone:`faint`,rank:7},Succeeded:{word:`Succeeded`,glyph:`check`,tone:`good`,rank:8}},xt={cross:`M4.5 4.5l7 7M11.5 4.5l-7 7`,clock:`M8 2.5a5.5 5.5 0 1 1-.01 0M8 5v3.2l2.2 1.6`,stop:`M4.5 4.5h7v7h-7z`,person:`M8 3a2.3 2.3 0 1 1-.01 0M3.8 13c.3-2.6 2-4 4.2-4s3.9 1.4 4.2 4`,hourglass:`M4.5 3h7M4.5 13h7M5.5 3c0 3 5 4 5 10M10.5 3c0 3-5 4-5 10`,play:`M5.5 3.8v8.4l6.5-4.2z`,dot:`M8 7.2a.8.8 0 1 1-.01 0`,dash:`M4.5 8h7`,check:`M3.5 8.5l3 3 6-7`,question:`M6 6a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1V9.5M8 12v.1`};function N(e){return j(bt,e)??{word:e,glyph:`question`,tone:`attention`,rank:3}}var St={Adopted:`Spacelift or a person: adopted`,Triggered:`the chain: triggered`};function Ct(e){return j(St,e)??e}function wt(e){return[`Succeeded`,`Failed`,`Skipped`,`Canceled`,`TimedOut`].includes(e)}function P(e,t,n){let r=Date.parse(e),i=t?Date.parse(t):n;return Number.isFinite(r)&&Number.isFinite(i)?Math.max(0,Math.floor((i-r)/1e3)):null}function F(e){if(e===null)return``;let t=e=>String(e).padStart(2,`0`);return e<60?`${e}s`:e<3600?`${Math.floor(e/60)}m${t(e%60)}s`:e<86400?`${Math.floor(e/3600)}h${t(Math.floor(e%3600/60))}m`:`${Math.floor(e/86400)}d${t(Math.floor(e%86400/3600))}h`}function I(e,t){let n=P(e,``,t);if(n===null)return``;let r=[[86400,`d`],[3600,`h`],[60,`m`]].find(([e])=>n>=e);return r?`${Math.floor(n/r[0])}${r[1]}`:`${n}s`}function Tt(e){if(e===null)return``;let{added:t,changed:n,deleted:r}=e;return t||n||r?`+${t} ~${n} -${r}`:`no changes`}function L(e,t,n=`${t}s`){return`${e.toLocaleString(`en-US`)} ${e===1?t:n}`}function Et(e,...t){let n=t.join(`
`).toLowerCase();return e.toLowerCase().split(/\s+/).every(e=>n.includes(e))}function Dt({run:e,isBeforeStacks:t}){return e===null?`No run has read the stacks of this chain yet.`:t?wt(e.phase)?`The run ended before it had read its stacks.`:`The run has not read its stacks yet.`:`The run has no stacks.`}var Ot={month:`short`,day:`numeric`,hour:`2-digit`,minute:`2-digit`,second:`2-digit`,hourCycle:`h23`};function R(e,t=Date.now()){let n=new Date(e);if(Number.isNaN(n.getTime()))return``;let r=n.getFullYear()===new Date(t).getFullYear();return n.toLocaleString(`en-US`,{...Ot,...r?{}:{year:`numeric`}})}function kt(e){let t=new Date(e);return Number.isNaN(t.getTime())?``:`${t.toLocaleString(`en-US`,{...Ot,year:`numeric`,timeZoneName:`short`})} (${t.toISOString().replace(`.000Z`,`Z`)})`}function At(e,t){let n=Math.floor((Date.parse(e)-t)/1e3);if(!Number.isFinite(n))return``;let r=new Date(e).toLocaleTimeString(`en-US`,{hour:`2-digit`,minute:`2-digit`,hourCycle:`h23`});return n>0?`${r}, in ${F(n)}`:`${r}, overdue`}function jt(e){return e.split(/(`[^`]+`)/).filter(e=>e!==``).map(e=>{let t=/^`[^`]+`$/.test(e);return{text:t?e.slice(1,-1):e,isCode:t}})}function z(e){return e.replace(/[\u0000-\u001f\u007f-\u009f\s]+/g,` `).replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,``).trim()}var Mt=o`
  :host {
    --canvas: #f6f7f9;
    --surface: #ffffff;
    --hover: #eef1f5;
    --line: #e2e6ec;
    --line-strong: #c8ced8;
    --text: #12161d;
    --muted: #586171;
    --accent: #2457d6;
    --accent-soft: #e8effd;
    --good: #187440;
    --good-soft: #e6f5ec;
    --bad: #b91f2b;
    --bad-soft: #fdebec;
    --active: #1a5fc0;
    --active-soft: #e6f0fd;
    --attention: #855500;
    --attention-soft: #fdf2d8;
    --faint: #586171;
    --faint-soft: #eff1f4;
    --edge: #b8c0cc;
    --shadow: 0 1px 2px rgb(16 24 40 / 6%);
    --shadow-high: 0 8px 28px rgb(16 24 40 / 16%);
    --radius: 8px;
    --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
    color-scheme: light;
    color: var(--text);
    font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Inter, Roboto, "Noto Sans", sans-serif;
    font-variant-numeric: tabular-nums;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --canvas: #0b0e12;
      --surface: #151920;
      --hover: #1f2530;
      --line: #262d38;
      --line-strong: #3b4452;
      --text: #e7eaf0;
      --muted: #9ba5b4;
      --accent: #7ba7ff;
      --accent-soft: #17233d;
      --good: #55c98c;
      --good-soft: #11261b;
      --bad: #ff8585;
      --bad-soft: #34171b;
      --active: #76adff;
      --active-soft: #14243e;
      --attention: #e6b450;
      --attention-soft: #2f2511;
      --faint: #9ba5b4;
      --faint-soft: #1d222b;
      --edge: #444e5d;
      --shadow: 0 1px 2px rgb(0 0 0 / 40%);
      --shadow-high: 0 10px 32px rgb(0 0 0 / 55%);
      color-scheme: dark;
    }
  }
  * {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
`,Nt=o`
  button,
  input {
    font: inherit;
    color: inherit;
  }
  a {
    color: var(--accent);
    text-decoration: none;
  }
  a:hover {
    text-decoration: underline;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 1px;
  }
  .button {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    height: 30px;
    padding: 0 10px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--surface);
    cursor: pointer;
    white-space: nowrap;
  }
  .button:hover {
    background: var(--hover);
    text-decoration: none;
  }
  .button[aria-pressed="true"] {
    border-color: var(--accent);
    background: var(--accent-soft);
    color: var(--accent);
  }
  .button.icon {
    width: 30px;
    padding: 0;
    justify-content: center;
  }
  .button.plain {
    border-color: transparent;
    background: none;
  }
  .field {
    height: 30px;
    padding: 0 10px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--surface);
    min-width: 0;
  }
  .field::placeholder {
    color: var(--muted);
    opacity: 1;
  }
  .good {
    --tone: var(--good);
    --tone-soft: var(--good-soft);
  }
  .bad {
    --tone: var(--bad);
    --tone-soft: var(--bad-soft);
  }
  .active {
    --tone: var(--active);
    --tone-soft: var(--active-soft);
  }
  .attention {
    --tone: var(--attention);
    --tone-soft: var(--attention-soft);
  }
  .faint {
    --tone: var(--faint);
    --tone-soft: var(--faint-soft);
  }
  .phase {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    color: var(--tone);
    font-weight: 550;
    white-space: nowrap;
  }
  .glyph {
    flex: none;
    width: 20px;
    height: 20px;
    padding: 2px;
    border-radius: 50%;
    background: var(--tone-soft);
    color: var(--tone);
  }
  .glyph path {
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.7;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .id {
    display: inline-flex;
    min-width: 0;
    max-width: 100%;
    unicode-bidi: isolate;
    white-space: pre;
  }
  .id .head {
    overflow: hidden;
    text-overflow: ellipsis;
    min-width: 1ch;
  }
  .id .tail {
    flex: none;
  }
  /* It is there to be heard; what is seen is what is copied. */
  .id .unseen {
    user-select: none;
  }
  .muted {
    color: var(--muted);
  }
  code {
    font-family: var(--mono);
    font-size: 0.94em;
    overflow-wrap: anywhere;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;function B(e){let t=[...z(e)],[n,r]=[t.slice(0,-9).join(``),t.slice(-9).join(``)];return n?y`<span class="id" title=${z(e)}
    ><span class="unseen">${z(e)}</span><span class="head" aria-hidden="true">${n}</span
    ><span class="tail" aria-hidden="true">${r}</span></span
  >`:y`<span class="id">${r}</span>`}function V(e){return jt(e).map(e=>e.isCode?y`<code>${e.text}</code>`:e.text)}function H(e){return y`<svg class="glyph" viewBox="0 0 16 16" aria-hidden="true">
    ${De`<path d=${xt[e]??``}></path>`}
  </svg>`}function Pt(e){let t=N(e);return y`<span class="phase ${t.tone}">${H(t.glyph)}${t.word}</span>`}var Ft={plus:`M8 3v10M3 8h10`,minus:`M3 8h10`,fit:`M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3`,down:`M4 6l4 4 4-4`,right:`M6 4l4 4-4 4`,room:`M3 6V3h10v3M3 10v3h10v-3M8 5v6M6 7l2-2 2 2M6 9l2 2 2-2`,close:`M4 4l8 8M12 4l-8 8`,out:`M6.5 3.5H3.5v9h9v-3M9 3h4v4M13 3L7.5 8.5`,copy:`M6 6h7v7H6zM10 3.5H3.5V10`,done:`M3.5 8.5l3 3 6-7`,search:`M7 3a4 4 0 1 1-.01 0M10 10l3.5 3.5`,fold:`M8 2v4M5.8 4.2L8 6.4l2.2-2.2M8 14v-4M5.8 11.8L8 9.6l2.2 2.2M3 8h10`};function U(e){return y`<svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" fill="none"
    stroke="currentcolor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
    ${De`<path d=${Ft[e]??``}></path>`}
  </svg>`}var W=Ze(class extends Qe{constructor(e){if(super(e),e.type!==Xe.ELEMENT)throw Error(`styles() is for elements`)}render(e){return b}update(e,[t]){let{style:n}=e.element;for(let[e,r]of Object.entries(t))n.getPropertyValue(e)!==r&&n.setProperty(e,r);return b}}),It=2;function Lt(e,t){return`group:${e}:${t}`}var Rt=new Set([`OutputUnchanged`,`Bypassed`]);function zt(e){switch(e.phase){case`Succeeded`:return`finished`;case`Pending`:return`pending`;case`Skipped`:return Rt.has(e.reason??``)?`finished`:`skipped`;default:return null}}function Bt(e,t){let n=t.isFolded?Vt(e,t):new Map,r=new Map;for(let t of e)r.set(t.id,t.id);for(let[e,t]of n)t.forEach(t=>r.set(t.id,e));let i=new Map;for(let t of e){let e=r.get(t.id)??t.id,n=i.get(e)??{stacks:[],upstreams:new Set};i.set(e,n),n.stacks.push(t);for(let i of t.dependsOn){let t=r.get(i);t!==void 0&&t!==e&&n.upstreams.add(t)}}return[...i].map(([e,t])=>({key:e,level:t.stacks[0]?.level??0,upstreams:[...t.upstreams].sort(),stacks:t.stacks,kind:n.has(e)&&t.stacks[0]?zt(t.stacks[0]):null}))}function Vt(e,t){let n=new Map;for(let r of e){let e=zt(r);if(e===null||t.shown.has(r.id))continue;let i=Lt(r.level,e);t.opened.has(i)||n.set(i,[...n.get(i)??[],r])}for(let[e,t]of n)t.length<It&&n.delete(e);return n}function Ht(e,t){let n=new Map(e.map(e=>[e.id,e.dependsOn])),r=new Map;for(let t of e)for(let e of t.dependsOn){let n=r.get(e);n?n.push(t.id):r.set(e,[t.id])}return{upstream:Ut(t,n),downstream:Ut(t,r)}}function Ut(e,t){let n=new Set,r=[e];for(let i=r.pop();i!==void 0;i=r.pop())for(let a of t.get(i)??[])a!==e&&!n.has(a)&&(n.add(a),r.push(a));return n}var Wt=8,Gt=10;function Kt(e){for(let t of e)t.sort((e,t)=>G(e.key,t.key)),Zt(t);let t=Qt(e),n=Xt(e);for(let r=0;r<Wt&&n>0;r+=1){let i=r%2==0;for(let t of i?e:[...e].reverse())Yt(t,i);let a=Xt(e);a<n&&([t,n]=[Qt(e),a])}t.forEach((t,n)=>{e[n]=t,Zt(t)}),qt(e)}function qt(e){for(let t of e){let e=0;for(let n of t)n.y=e+n.height/2,e+=n.height}for(let t=0;t<Gt;t+=1){let n=t%2==0;for(let t of n?e:[...e].reverse())Jt(t,n?e=>e.ups:e=>e.downs)}for(let t of e)Jt(t,e=>[...e.ups,...e.downs])}function Jt(e,t){let n=0,r=e.map((t,r)=>{let i=e[r-1];return n+=i?(i.height+t.height)/2:0,n}),i=[];e.forEach((e,n)=>{let a=t(e),o=a.length>0?1:.05,s={sum:((a.length>0?$t(a.map(e=>e.y)):e.y)-(r[n]??0))*o,weight:o,count:1};for(let e=i.at(-1);e&&e.sum/e.weight>s.sum/s.weight;)i.pop(),s={sum:e.sum+s.sum,weight:e.weight+s.weight,count:e.count+s.count},e=i.at(-1);i.push(s)});let a=0;for(let t of i)for(let n=a+t.count;a<n;a+=1){let n=e[a];n&&(n.y=t.sum/t.weight+(r[a]??0))}}function Yt(e,t){let n=new Map(e.map(e=>{let n=t?e.ups:e.downs;return[e,n.length>0?$t(n.map(e=>e.order)):e.order]}));e.sort((e,t)=>(n.get(e)??0)-(n.get(t)??0)||e.order-t.order||G(e.key,t.key)),Zt(e)}function Xt(e){let t=0;for(let n of e.slice(1)){let e=n.flatMap(e=>e.ups.map(e=>e.order).sort((e,t)=>e-t)),r=Array(Math.max(0,...e)+2).fill(0);e.forEach((e,n)=>{let i=0;for(let t=e+1;t>0;t-=t&-t)i+=r[t]??0;t+=n-i;for(let t=e+1;t<r.length;t+=t&-t)r[t]=(r[t]??0)+1})}return t}function Zt(e){e.forEach((e,t)=>{e.order=t})}function Qt(e){return e.map(e=>[...e])}function $t(e){return e.reduce((e,t)=>e+t,0)/e.length}function G(e,t){return e<t?-1:+(e>t)}var en=.3;function tn(e,t,n=null){let r=nn(e),i=n!==null&&rn(n,r,t)?n:null,a=Bt(e,{...t,shown:i?an(i):new Set}),o=on(a),s=i?dn(a,o,i):null,c=s?{boxes:s,bends:new Map}:sn(a,o),l=hn(a,c.boxes,c.bends);return{boxes:c.boxes,edges:i&&s?yn(l,i):l,width:Math.max(0,...c.boxes.map(e=>e.x+256)),height:Math.max(0,...c.boxes.map(e=>e.y+46)),structure:r,folding:t}}function nn(e){return e.map(e=>`${e.id}\t${e.level}\t${[...e.dependsOn].sort().join(`	`)}`).sort().join(`
`)}function rn(e,t,n){let{isFolded:r,opened:i}=e.folding;return e.structure===t&&r===n.isFolded&&[...i].every(e=>n.opened.has(e))}function an(e){return new Set(e.boxes.filter(e=>e.item.kind===null).map(e=>e.key))}function on(e){let t=[...new Set(e.map(e=>e.level))].sort((e,t)=>e-t);return new Map(t.map((e,t)=>[e,t]))}function sn(e,t){let n=new Map,r=[...t].map(()=>[]),i=(e,t,i)=>{let a={key:e,column:t,height:i,ups:[],downs:[],order:0,y:0};return n.set(e,a),r[t]?.push(a),a};for(let n of e)i(n.key,t.get(n.level)??0,1);for(let t of e)for(let e of t.upstreams)ln(n,i,e,t.key);Kt(r);let a=Math.min(...r.flat().map(e=>e.y-e.height/2),1/0),o=e=>Math.round((e-a)*60);return{boxes:e.map(e=>{let r=t.get(e.level)??0,i=o((n.get(e.key)?.y??0)-.5);return{key:e.key,item:e,column:r,x:r*332,y:i}}),bends:new Map([...n.values()].filter(e=>e.height<1).map(e=>[e.key,o(e.y)-7]))}}function cn(e,t){return`bend:${t}:${e}`}function ln(e,t,n,r){let[i,a]=[e.get(n),e.get(r)];if(!i||!a||i.column>=a.column)return;let o=i;for(let r=i.column+1;r<a.column;r+=1){let i=cn(n,r),a=e.get(i),s=a??t(i,r,en);a||un(o,s),o=s}un(o,a)}function un(e,t){e.downs.push(t),t.ups.push(e)}function dn(e,t,n){let r=new Map(n.boxes.map(e=>[e.key,e])),i=new Map;for(let n of e){let e=r.get(n.key);if(e){if(e.column!==t.get(n.level))return null;i.set(n.key,{...e,item:n})}}let a=new Map,o=e=>{let t=a.get(e)??[...i.values()].filter(t=>t.column===e).map(e=>e.y);return a.set(e,t),t},s=(e,t,n)=>{i.set(e.key,{key:e.key,item:e,column:t,x:t*332,y:n})},c=e=>{let t=e.upstreams.map(e=>i.get(e)?.y).filter(e=>e!==void 0);return t.length>0?t.reduce((e,t)=>e+t,0)/t.length:null},l=e.filter(e=>!i.has(e.key));for(let[e,r]of fn(l,n)){let n=t.get(r[0]?.level??0)??0,i=o(n),a=r.map(t=>{let n=mn(e?.y??c(t)??0,i);return i.push(n),{item:t,y:n}});(e===null?a:pn(a,c)).forEach(({item:e,y:t})=>s(e,n,t))}return e.map(e=>i.get(e.key)).filter(e=>e!==void 0)}function fn(e,t){let n=new Map;for(let e of t.boxes.filter(({item:e})=>e.kind!==null))e.item.stacks.forEach(t=>n.set(t.id,e));let r=new Map;for(let t of[...e].sort((e,t)=>e.level-t.level)){let e=t.kind===null?n.get(t.key)??null:null,i=e?.key??t.key,a=r.get(i)??[e,[]];a[1].push(t),r.set(i,a)}return[...r.values()]}function pn(e,t){let n=e.map(({y:e})=>e).sort((e,t)=>e-t),r=new Map(e.map(({item:e})=>[e,t(e)??1/0]));return e.map(({item:e})=>e).sort((e,t)=>(r.get(e)??0)-(r.get(t)??0)||G(e.key,t.key)).map((e,t)=>({item:e,y:n[t]??0}))}function mn(e,t){return[Math.max(0,e),...t.flatMap(e=>[e+60,e-60])].filter(e=>e>=0&&t.every(t=>Math.abs(t-e)>=60)).map(e=>Math.round(e)).sort((t,n)=>Math.abs(t-e)-Math.abs(n-e)||n-t)[0]??0}function hn(e,t,n){let r=new Map(t.map(e=>[e.key,e]));return e.flatMap(e=>e.upstreams.flatMap(t=>{let[i,a]=[r.get(t),r.get(e.key)];if(!i||!a)return[];let o=gn(i,a,n);return[{key:`${t}\t${e.key}`,from:t,to:e.key,path:o}]}))}function gn(e,t,n){let[r,i]=[e.x+256,e.y+23],a=[`M${r} ${i}`];for(let o=e.column+1;o<t.column;o+=1){let t=n.get(cn(e.key,o));t!==void 0&&(a.push(_n(r,i,o*332,t),`H${o*332+256}`),[r,i]=[o*332+256,t])}return a.push(_n(r,i,t.x,t.y+23)),a.join(``)}function _n(e,t,n,r){let i=Math.round((e+n)/2);return`C${i} ${vn(t)} ${i} ${vn(r)} ${n} ${vn(r)}`}function vn(e){return Math.round(e*10)/10}function yn(e,t){let n=new Map(t.edges.map(e=>[e.key,e]));return e.map(e=>n.get(e.key)??e)}var bn={good:{fill:`#e7f6ec`,line:`#1a7f45`},bad:{fill:`#fdeaea`,line:`#c0262d`},active:{fill:`#e6f0fd`,line:`#1d64c4`},attention:{fill:`#fdf3dc`,line:`#8a5a00`},faint:{fill:`#f3f4f6`,line:`#5b6472`}},xn=/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;function Sn(e){let t=new Map(e.map((e,t)=>[e.id,`s${t}`])),n=[`flowchart LR`];for(let r of e){let{word:e,tone:i}=N(r.phase),a=`${kn(r.id)}<br/>${kn(e)}`;n.push(`  ${t.get(r.id)}["${a}"]:::${i}`)}for(let[r,i]of Dn(e))n.push(`  ${t.get(r)} --> ${t.get(i)}`);for(let[e,{fill:t,line:r}]of Object.entries(bn))n.push(`  classDef ${e} fill:${t},stroke:${r},color:#111827`);return`${n.join(`
`)}\n`}function Cn(e,t){let n=[`digraph ${An(e)} {`,`  rankdir=LR;`,`  node [shape=box, style="rounded,filled", fontname="sans-serif"];`];for(let e of t){let{word:t,tone:r}=N(e.phase),{fill:i,line:a}=bn[r],o=An(`${e.id}\n${t}`);n.push(`  ${An(e.id)} [label=${o}, fillcolor="${i}", color="${a}"];`)}for(let[e,r]of Dn(t))n.push(`  ${An(e)} -> ${An(r)};`);return`${n.join(`
`)}\n}\n`}function wn(e,t){let[n,r]=[t.width+48,t.height+48],i=t.edges.map(e=>`<path d="${e.path}" fill="none" stroke="#9aa3af" stroke-width="1.3"/>`);return[`<svg xmlns="http://www.w3.org/2000/svg" width="${n}" height="${r}" viewBox="-24 -24 ${n} ${r}" font-family="system-ui, sans-serif">`,`<title>${On(e)}</title>`,`<rect x="-24" y="-24" width="100%" height="100%" fill="#ffffff"/>`,...i,...t.boxes.map(Tn),`</svg>
`].join(`
`)}function Tn(e){let t=e.item.stacks[0],{word:n,glyph:r,tone:i}=N(t?.phase??``),{fill:a,line:o}=bn[i],s=e.item.stacks.length,c=e.item.kind===null?t?.id??``:L(s,`${e.item.kind} stack`);return[`<g transform="translate(${e.x} ${e.y})">`,`<rect width="256" height="46" rx="8" fill="${a}" stroke="${o}"/>`,`<path transform="translate(10 8)" d="${xt[r]??``}" fill="none" stroke="${o}" stroke-width="1.6" stroke-linecap="round"/>`,`<text x="34" y="19" font-size="12.5" font-weight="600" fill="#111827">${On(En(c,28))}</text>`,`<text x="34" y="36" font-size="11" fill="${o}">${On(e.item.kind?``:n)}</text>`,`</g>`].join(``)}function En(e,t){let n=[...e];if(n.length<=t)return e;let r=Math.ceil((t-1)/2);return`${n.slice(0,t-1-r).join(``)}…${n.slice(-r).join(``)}`}function Dn(e){let t=new Set(e.map(e=>e.id));return e.flatMap(e=>e.dependsOn.filter(e=>t.has(e)).map(t=>[t,e.id]))}function On(e){return e.replace(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g,` `).replace(xn,``).toWellFormed().replace(/[<>&"']/g,e=>`&#${e.charCodeAt(0)};`)}function kn(e){return[...e].map(e=>/[A-Za-z0-9 ._/-]/.test(e)?e:`#${e.codePointAt(0)};`).join(``)}function An(e){return`"${e.replaceAll(`\\`,`\\\\`).replaceAll(`"`,`\\"`).replaceAll(`
`,`\\n`).replace(xn,e=>`\\\\u${e.charCodeAt(0).toString(16).padStart(4,`0`)}`).toWellFormed()}"`}var jn={Failed:`failed`,TimedOut:`timed out`,Canceled:`was canceled`,Skipped:`was skipped`},Mn={StageNotSucceeded:`, and an earlier stage needs it`,FailFast:", and the chain stops at the first failure (`failurePolicy: FailFast`)"},Nn=[`RunFinished`,`RunInProgress`];function Pn(e,t){let[n,r,...i]=e.message.split(`'${e.blockedBy}'`);return n!==void 0&&r!==void 0&&i.length===0?[n,r]:[`Skipped because `,` ${j(jn,t?.phase??``)??`did not succeed`}${j(Mn,e.reason)??``}.`]}function Fn(e,t,n){return(e.attempts>1?`Attempt ${e.attempts}. `:``)+(z(e.message)||In(e,t)||Ln(e,n))}function In(e,t){return e.blockedBy?z(Pn(e,t.find(t=>t.id===e.blockedBy)).join(e.blockedBy)):``}function Ln(e,t){return Nn.includes(e.reason)?``:j(t,e.reason)?.means??z(e.reason)}function Rn(e,t,n=e.ask){return e.ask?e.command?`${e.do}: ${t?`press ${n}, or run`:`run`} \`${e.command}\`.`:t?`${e.do}: press ${n}.`:`${e.do}.`:e.command?`${e.do} \`${e.command}\``:e.do}function K(e,t,n,r){var i=arguments.length,a=i<3?t:r===null?r=Object.getOwnPropertyDescriptor(t,n):r,o;if(typeof Reflect==`object`&&typeof Reflect.decorate==`function`)a=Reflect.decorate(e,t,n,r);else for(var s=e.length-1;s>=0;s--)(o=e[s])&&(a=(i<3?o(a):i>3?o(t,n,a):o(t,n))||a);return i>3&&a&&Object.defineProperty(t,n,a),a}var zn=12,Bn=2e3,q=class extends C{constructor(...e){super(...e),this.stack=null,this.stacks=[],this.advice=null,this.actions=[],this.meaning=null,this.mayAsk=!1,this.workflowUrl=``,this.chainLink=``,this.now=Date.now(),this.isWhole=!1,this.copied=``}static{this.styles=[Mt,Nt,o`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
        background: var(--surface);
      }
      header {
        display: flex;
        align-items: flex-start;
        gap: 8px;
        padding: 16px 12px 12px 20px;
        border-bottom: 1px solid var(--line);
      }
      h2 {
        flex: 1;
        min-width: 0;
        margin: 0;
        font-size: 15px;
        font-weight: 620;
        line-height: 1.35;
        overflow-wrap: anywhere;
        unicode-bidi: isolate;
      }
      .body {
        flex: 1;
        overflow-y: auto;
        padding: 16px 20px 28px;
        display: grid;
        grid-auto-rows: max-content;
        gap: 16px;
        outline-offset: -2px;
      }
      .message {
        margin: 0;
        max-height: 16em;
        overflow-y: auto;
        overflow-wrap: anywhere;
        white-space: pre-line;
        unicode-bidi: plaintext;
      }
      .do {
        padding: 10px 12px;
        border-radius: var(--radius);
        background: var(--tone-soft, var(--faint-soft));
      }
      .do b {
        display: block;
        margin-bottom: 2px;
        color: var(--tone);
      }
      h3 {
        margin: 0 0 6px;
        font-size: 11px;
        font-weight: 600;
        letter-spacing: 0.04em;
        text-transform: uppercase;
        color: var(--muted);
      }
      dl {
        display: grid;
        grid-template-columns: 92px minmax(0, 1fr);
        gap: 6px 12px;
        align-items: baseline;
        margin: 0;
      }
      dt {
        color: var(--muted);
      }
      dd {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .links {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .names {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
      }
      .names button {
        max-width: 100%;
        height: 26px;
        padding: 0 8px;
        border: 1px solid var(--line);
        border-radius: 6px;
        background: none;
        cursor: pointer;
        overflow: hidden;
      }
      .names button:hover {
        background: var(--hover);
      }
      .button.icon.copy {
        width: 24px;
        height: 24px;
        vertical-align: middle;
        color: var(--muted);
      }
      header .button.icon.copy {
        margin: 3px -6px 0 0;
      }
      .who {
        display: inline-block;
        max-width: 100%;
        padding: 0 6px;
        border: 1px solid var(--line);
        border-radius: 6px;
        background: none;
        font-weight: 600;
        cursor: pointer;
        vertical-align: bottom;
      }
      .who:hover {
        background: var(--hover);
      }
      .runs {
        display: grid;
        gap: 4px;
        margin: 0;
        padding: 0;
        list-style: none;
        overflow-wrap: anywhere;
      }
    `]}render(){let e=this.stack;return e===null?x:y`<header>
        <h2 id="title" tabindex="-1" aria-level=${this.isWhole?1:2}>${z(e.id)}</h2>
        ${this.#r(z(e.id),`Copy the id of the stack`)}
        <button class="button icon plain" aria-label="Close" @click=${this.#f}>
          ${U(`close`)}
        </button>
      </header>
      <div class="body" tabindex="0" role="region" aria-labelledby="title">
        <div>${Pt(e.phase)}</div>
        ${this.#e(e)} ${this.#a(e)} ${this.#o(e)} ${this.#c(e)}
        ${this.#s(e)}
      </div>
      <div class="unseen" role="status">${this.copied?`${this.copied} was copied.`:``}</div>`}focusTitle(){this.renderRoot.querySelector(`#title`)?.focus()}#e(e){let{advice:t,meaning:n}=this,r=t?Rn(t,this.mayAsk):e.blockedBy?``:n?.do??``,i=r!==``&&r!==`Nothing.`,a=[`Failed`,`TimedOut`,`Canceled`].includes(e.phase)?`bad`:`attention`;return y`${e.blockedBy?this.#n(e):this.#t(e.message||t?.means||n?.means||``)}
    ${this.chainLink&&t?y`<p class="message">In use by chain <a href=${this.chainLink} data-internal>${z(t.chain)}</a>.</p>`:x}
    ${i?y`<div class="do ${a}"><b>What to do</b>${V(r)}</div>`:x}`}#t(e){return e?y`<p class="message">${V(e)}</p>`:x}#n(e){let t=this.stacks.find(t=>t.id===e.blockedBy),[n,r]=Pn(e,t),i=z(e.blockedBy),a=!e.message||e.message===`${n}'${e.blockedBy}'${r}`;return y`<p class="message">${V(n)}${t?y`<button class="who" @click=${()=>this.#u(t.id)}>${i}</button>`:y`<b>${i}</b>`}${V(r)}</p>
      ${a?x:this.#t(e.message)}`}#r(e,t){return`clipboard`in navigator?y`<button class="button icon plain copy" aria-label=${t} title=${t} @click=${()=>void this.#i(e)}>
          ${U(this.copied===e?`done`:`copy`)}
        </button>`:x}async#i(e){try{await navigator.clipboard.writeText(e)}catch{return}this.copied=e,window.setTimeout(()=>this.copied=``,Bn)}#a(e){let t=e.phase===`Waiting`&&e.heldBy?.url!==e.runUrl?e.heldBy?.url:``;return e.runUrl||t||this.workflowUrl||this.actions.length>0?y`<div class="links">
          ${this.actions.map(t=>y`<button class="button" @click=${()=>this.#d(t,e.id)}>${t}</button>`)}
          ${e.runUrl?y`<a class="button" href=${e.runUrl} target="_blank" rel="noopener noreferrer"
                >Open the run in Spacelift ${U(`out`)}</a
              >`:x}
          ${t?y`<a class="button" href=${t} target="_blank" rel="noopener noreferrer"
                >Open what it waits for ${U(`out`)}</a
              >`:x}
          ${this.workflowUrl?y`<a class="button" href=${this.workflowUrl} target="_blank" rel="noopener noreferrer"
                >Workflow in Temporal ${U(`out`)}</a
              >`:x}
        </div>`:x}#o(e){let t=F(P(e.startTime,e.completionTime,this.now));return y`<dl>
      ${[[`Reason`,z(e.reason)],[`Name`,e.name===e.id?``:z(e.name)],[`Changes`,Tt(e.delta)],[`Attempts`,e.attempts>1?String(e.attempts):``],[`Took`,e.phase===`Skipped`?``:t],[`Started`,e.startTime?`${R(e.startTime)} (${I(e.startTime,this.now)} ago)`:``,kt(e.startTime)],[`Ended`,R(e.completionTime),kt(e.completionTime)],[`Run`,e.runId?y`<code>${e.runId}</code> ${this.#r(z(e.runId),`Copy the id of the run`)}`:``],[`Started by`,Ct(e.runSource)],[`In Spacelift`,e.runState],[`Level`,String(e.level+1)]].filter(([,e])=>e!==``).map(([e,t,n])=>y`<dt>${e}</dt><dd title=${n||x}>${t}</dd>`)}
    </dl>`}#s(e){return e.unusedRuns.length>0?y`<section>
          <h3 aria-level=${this.isWhole?2:3}>Runs that it did not use</h3>
          <ul class="runs">
            ${e.unusedRuns.slice(0,zn).map(e=>y`<li>
                ${e.runUrl?y`<a href=${e.runUrl} target="_blank" rel="noopener noreferrer"><code>${z(e.runId)}</code></a>`:y`<code>${z(e.runId)}</code>`}
                <span class="muted">${z(e.runState)}</span>
              </li>`)}
          </ul>
        </section>`:x}#c(e){let t=this.stacks.filter(t=>t.dependsOn.includes(e.id)),{upstream:n,downstream:r}=Ht(this.stacks,e.id),i=new Map(this.stacks.map(e=>[e.id,e.phase])),a=this.advice?.holds??[];return y`${a.length>0?y`<section>
            <h3 aria-level=${this.isWhole?2:3}>Holds up ${L(this.advice?.held??a.length,`stack`)}</h3>
            ${this.#l(a,i,this.advice?.held)}
          </section>`:x}
      <section>
        <h3 aria-level=${this.isWhole?2:3}>Depends on${n.size>0?` (${n.size} in all)`:``}</h3>
        ${this.#l(e.dependsOn,i)}
      </section>
      <section>
        <h3 aria-level=${this.isWhole?2:3}>Dependents${r.size>0?` (${r.size} in all)`:``}</h3>
        ${this.#l(t.map(e=>e.id),i)}
      </section>`}#l(e,t,n=e.length){if(e.length===0)return y`<span class="muted">None</span>`;let r=n-zn;return y`<div class="names">
      ${e.slice(0,zn).map(e=>y`<button ?disabled=${!t.has(e)} @click=${()=>this.#u(e)}>${B(e)}</button>`)}
      ${r>0?y`<span class="muted">and ${r} more</span>`:x}
    </div>`}#u(e){this.dispatchEvent(new CustomEvent(`stack-select`,{detail:{id:e},bubbles:!0,composed:!0}))}#d(e,t){this.dispatchEvent(new CustomEvent(`stack-action`,{detail:{action:e,id:t},bubbles:!0,composed:!0}))}#f(){this.#u(``)}};K([w({attribute:!1})],q.prototype,`stack`,void 0),K([w({attribute:!1})],q.prototype,`stacks`,void 0),K([w({attribute:!1})],q.prototype,`advice`,void 0),K([w({attribute:!1})],q.prototype,`actions`,void 0),K([w({attribute:!1})],q.prototype,`meaning`,void 0),K([w({attribute:!1})],q.prototype,`mayAsk`,void 0),K([w({attribute:!1})],q.prototype,`workflowUrl`,void 0),K([w({attribute:!1})],q.prototype,`chainLink`,void 0),K([w({type:Number})],q.prototype,`now`,void 0),K([w({attribute:!1})],q.prototype,`isWhole`,void 0),K([T()],q.prototype,`copied`,void 0),q=K([Ge(`stackchain-drawer`)],q);var Vn=.08,Hn=.8,J=28;function Un(e,t,n){let r=Wn(e,t);if(r.scale>=Hn||n===null)return r.scale>=Hn?r:{x:J,y:Gn(e.height,t.height,Hn),scale:Hn};let i=t.height/2-(n.y+n.height/2)*Hn;return Jn(qn({x:J,y:Math.round(i),scale:Hn},e,t),n,t)}function Wn(e,t){let n=Math.max(Vn,Math.min(1,(t.width-56)/Math.max(1,e.width),(t.height-56)/Math.max(1,e.height)));return{x:Gn(e.width,t.width,n),y:Gn(e.height,t.height,n),scale:n}}function Gn(e,t,n){return Math.max(J,Math.round((t-e*n)/2))}function Kn(e,t,n){let r=Math.min(2,Math.max(Vn,e.scale*t)),i=r/e.scale;return{x:n.x-(n.x-e.x)*i,y:n.y-(n.y-e.y)*i,scale:r}}function qn(e,t,n){let r=t.height*e.scale;return r+56<=n.height?{...e,y:Gn(t.height,n.height,e.scale)}:{...e,y:Math.min(J,Math.max(n.height-J-r,e.y))}}function Jn(e,t,n){let r=(t,n,r,i)=>{let[a,o]=[t*e.scale+r,(t+n)*e.scale+r];return a<J?r+J-a:o>i-J?Math.max(r+i-J-o,r+J-a):r};return{x:r(t.x,t.width,e.x,n.width),y:r(t.y,t.height,e.y,n.height),scale:e.scale}}function Yn(e,t,n){let r=(t,n,r)=>Math.min(r-80,Math.max(80-n*e.scale,t));return{x:r(e.x,t.width,n.width),y:r(e.y,t.height,n.height),scale:e.scale}}var Xn={finished:{word:`finished`,glyph:`check`,tone:`good`},pending:{word:`pending`,glyph:`dot`,tone:`faint`},skipped:{word:`skipped`,glyph:`dash`,tone:`faint`}},Zn={width:168,height:104},Y=class extends C{constructor(...e){super(...e),this.chain=null,this.advice={},this.selected=``,this.query=``,this.only=[],this.drawer=``,this.hasMoreRoom=null,this.isFolded=null,this.opened=new Set,this.view=null,this.room={width:0,height:0},this.now=Date.now(),this.focusKey=``,this.announcement=``,this.parsed=dt(null),this.layout=null,this.drag=null,this.hasMoved=!1,this.dragged=!1,this.pointers=new Map,this.ticking=0,this.resizing=new ResizeObserver(()=>this.measure()),this.wheel=e=>{if(!this.view)return;e.preventDefault();let t=this.canvas.getBoundingClientRect();if(e.ctrlKey||e.metaKey){let n={x:e.clientX-t.x,y:e.clientY-t.y};this.go(Kn(this.view,Math.exp(-e.deltaY/240),n))}else{let[t,n]=e.shiftKey?[e.deltaY,0]:[e.deltaX,e.deltaY];this.go({...this.view,x:this.view.x-t,y:this.view.y-n})}}}static{this.styles=[Mt,Nt,$n()]}connectedCallback(){super.connectedCallback(),this.hasUpdated&&this.resizing.observe(this.canvas),this.ticking=window.setInterval(()=>{this.parsed.stacks.some(e=>e.startTime&&!wt(e.phase))&&(this.now=Date.now())},1e3)}disconnectedCallback(){super.disconnectedCallback(),window.clearInterval(this.ticking),this.resizing.disconnect()}firstUpdated(){this.resizing.observe(this.canvas),this.canvas.addEventListener(`wheel`,this.wheel,{passive:!1}),this.measure()}willUpdate(e){if(e.has(`chain`)){let e=this.parsed;this.parsed=dt(this.chain),this.now=Date.now(),(e.name!==this.parsed.name||e.namespace!==this.parsed.namespace)&&this.reset(),this.announce(e)}let{stacks:t}=this.parsed;if(e.has(`chain`)||e.has(`isFolded`)||e.has(`opened`)){let e=this.layout?.structure;this.layout=tn(t,{isFolded:this.folded,opened:this.opened},this.layout),e!==void 0&&e!==this.layout.structure&&!this.hasMoved&&(this.view=null)}this.view===null&&this.room.width>0&&this.layout&&this.layout.boxes.length>0&&(this.view=Un(this.layout,this.room,this.first()))}updated(e){if(e.has(`selected`)&&this.selected){let e=this.keyOf(this.selected);this.focusKey=e,this.show(e)}}get folded(){return this.isFolded??this.parsed.stacks.length>60}reset(){this.layout=null,this.view=null,this.isFolded=null,this.opened=new Set,this.hasMoved=!1,this.focusKey=``}measure(){let{clientWidth:e,clientHeight:t}=this.canvas;if(e===0||e===this.room.width&&t===this.room.height)return;let n=e<this.room.width;this.room={width:e,height:t},this.hasMoved?n&&this.selected&&this.show(this.keyOf(this.selected)):this.view=null}first(){let e=this.keyOf(this.selected),t=this.layout?.boxes.find(t=>t.key===e);if(t)return Qn(t);let n=[...this.layout?.boxes??[]].filter(e=>e.item.kind===null).map(e=>({box:e,rank:N(e.item.stacks[0]?.phase??``).rank})).filter(({rank:e})=>e<6).sort((e,t)=>e.rank-t.rank||e.box.x-t.box.x||e.box.y-t.box.y);return n[0]?Qn(n[0].box):null}announce(e){let t=new Map(e.stacks.map(e=>[e.id,e.phase])),n=this.parsed.stacks.filter(e=>t.has(e.id)&&t.get(e.id)!==e.phase),r=n.slice(0,3).map(e=>`${e.id}: ${N(e.phase).word}`),i=n.length-r.length;r.length>0&&(this.announcement=r.join(`, `)+(i>0?`, and ${i} more`:``))}render(){let{stacks:e}=this.parsed,t=e.find(e=>e.id===this.selected)??null;return y`<div class="bar">${this.renderBar()}</div>
      <div class="main">
        <div
          class="canvas"
          role="group"
          aria-label=${this.label()}
          @pointerdown=${this.press}
          @pointermove=${this.move}
          @pointerup=${this.release}
          @pointercancel=${this.release}
          @pointerleave=${this.release}
          @keydown=${this.key}
        >
          ${this.layout&&this.view?this.renderGraph(this.layout,this.view):x}
          ${e.length===0?this.renderEmpty():x}
          ${this.renderMap()}
        </div>
        ${t&&this.drawer!==`none`?y`<stackchain-drawer
              .stack=${t}
              .stacks=${e}
              .advice=${j(this.advice,t.id)??null}
              .now=${this.now}
              @stack-select=${e=>this.selected=e.detail.id}
            ></stackchain-drawer>`:x}
      </div>
      <div class="unseen" role="status">${this.announcement}</div>`}label(){let{name:e,stacks:t}=this.parsed,n=new Set(t.map(e=>e.level)).size;return`Graph of ${e}: ${L(t.length,`stack`)} in ${L(n,`level`)}. Arrow keys move along dependencies.`}renderEmpty(){return y`<p class="empty">${Dt(this.parsed)}</p>`}renderBar(){let e=this.query?this.parsed.stacks.filter(e=>this.isFound(e)).length:0;return y`<label class="search">
        ${U(`search`)}
        <input
          class="field"
          type="search"
          placeholder="Find a stack"
          aria-label="Find a stack"
          aria-keyshortcuts="/"
          .value=${this.query}
          @input=${this.type}
          @keydown=${this.searchKey}
        />
        <kbd ?hidden=${this.query!==``}>/</kbd>
        <span class="hits" ?hidden=${this.query===``} title=${L(e,`stack matches`,`stacks match`)}>${e}</span>
      </label>
      ${this.renderFolding()}
      <span class="space"></span>
      <div class="set" role="group" aria-label="Zoom">
        <button class="button icon" aria-label="Zoom out" @click=${()=>this.zoomBy(1/1.3)}>${U(`minus`)}</button>
        <button class="button icon" aria-label="Zoom in" @click=${()=>this.zoomBy(1.3)}>${U(`plus`)}</button>
        <button class="button icon" aria-label="Show all" title="Show all (0)" @click=${this.fit}>${U(`fit`)}</button>
        ${this.hasMoreRoom===null?x:y`<button class="button icon" aria-label="More room" title="Enlarge the graph" aria-pressed=${this.hasMoreRoom?`true`:`false`}
              @click=${()=>this.emit(`room-toggle`,null)}>${U(`room`)}</button>`}
      </div>
      <div class="set" role="group" aria-label="Export">
        <span class="muted set-name">Export</span>
        ${[`SVG`,`Mermaid`,`DOT`].map(e=>y`<button class="button" @click=${()=>this.export(e)}>${e}</button>`)}
      </div>`}renderFolding(){let{stacks:e}=this.parsed;if(e.filter(e=>zt(e)!==null).length<2)return x;let t=this.layout?.boxes.filter(e=>e.item.kind===null).length??0,{folded:n}=this,r=Bt(e,{isFolded:!0,opened:this.opened,shown:new Set}),i=n?t-r.filter(e=>e.kind===null).length:0,a=`${t} of ${L(e.length,`stack`)}`,o=i>0?`${a} shown, ${i} of them could be folded`:this.isFolded===null?`Folded to what needs attention: ${a} shown`:`${a} shown`;return y`<button class="button" aria-pressed=${n?`true`:`false`} @click=${this.toggleFold}>
        ${U(`fold`)} Fold
      </button>
      ${i>0?y`<button class="button" @click=${this.foldAgain}>Fold again</button>`:x}
      <span class="muted note">${n?o:``}</span>`}async foldAgain(){this.layout=null,this.opened=new Set,this.hasMoved=!1,this.view=null,await this.updateComplete,this.renderRoot.querySelector(`button[aria-pressed]`)?.focus()}renderGraph(e,t){let n=this.lit(),r=`translate(${t.x}px, ${t.y}px) scale(${t.scale})`,i=e.boxes.some(e=>e.key===this.focusKey)?this.focusKey:this.inOrder(e)[0]?.key??``;return y`<div class="plane ${n?`has-lit`:``} ${t.scale<.45?`far`:``}"
      ${W({transform:r})}>
      <svg class="edges" width=${e.width} height=${e.height} aria-hidden="true">
        ${yt(e.edges,e=>e.key,e=>this.renderEdge(e,n))}
      </svg>
      ${yt(e.boxes,e=>e.key,e=>this.renderBox(e,n,e.key===i))}
    </div>`}renderEdge(e,t){return De`<path class=${t!==null&&!this.query&&t.has(e.from)&&t.has(e.to)?`lit`:``} d=${e.path}></path>`}renderBox(e,t,n){let{item:r}=e,i=r.stacks[0];if(!i)return y``;let a=t?.get(e.key)??``,o={transform:`translate(${e.x}px, ${e.y}px)`},s=n?`0`:`-1`,c=`box ${a} ${t&&!a?`dim`:``}`;if(r.kind!==null){let n=Xn[r.kind],i=r.stacks.length;return y`<button class="${c} group ${n.tone}" data-key=${e.key} tabindex=${s}
        @click=${()=>this.open(e.key)} ${W(o)}>
        ${H(n.glyph)}
        <span class="lines"
          ><span class="title"
            >${i} ${n.word}<span class="unseen"> stacks of level ${r.level+1}.</span></span
          ><span class="more">${this.related(e,t)||`Show them`}</span></span
        >
      </button>`}let l=N(i.phase);return y`<button class="${c} ${l.tone} ${i.phase===`Running`?`running`:``}" data-key=${e.key}
      tabindex=${s} aria-pressed=${i.id===this.selected?`true`:`false`}
      @click=${()=>this.select(i.id)} ${W(o)}>
      ${H(l.glyph)}
      <span class="lines"
        ><span class="title">${B(i.id)}</span
        ><span class="more"
          ><b>${l.word}</b>${this.detail(i)}<span class="unseen">${this.describe(i)}</span></span
        ></span
      >
    </button>`}related(e,t){if(t===null)return``;if(this.query||!this.selected){let t=e.item.stacks.filter(e=>this.query?this.isFound(e):this.isOnly(e)).length;return t>0?`${t} of ${L(e.item.stacks.length,`stack`)}`:``}let{upstream:n,downstream:r}=Ht(this.parsed.stacks,this.selected),i=e.item.stacks.map(e=>e.id),[a,o]=[n,r].map(e=>i.filter(t=>e.has(t)).length);return[a?`${a} upstream`:``,o?`${o} downstream`:``].filter(Boolean).join(`, `)}detail(e){let t=e.phase!==`Skipped`&&e.phase!==`Pending`?F(P(e.startTime,e.completionTime,this.now)):``,n=Tt(e.delta);return[t,e.attempts>1?`attempt ${e.attempts}`:``,n,e.reason===`OutputUnchanged`?`inputs unchanged`:``].filter(Boolean).map(e=>` · ${e}`).join(``)}describe(e){let t=e.dependsOn.length,n=t>0?`, depends on ${t>3?L(t,`stack`):e.dependsOn.join(`, `)}`:``;return`, level ${e.level+1}${n}`}renderMap(){let{layout:e,view:t,room:n}=this;if(!e||!t||e.boxes.length===0)return x;let[r,i]=[e.width*t.scale,e.height*t.scale];if(t.x>=0&&t.y>=0&&t.x+r<=n.width&&t.y+i<=n.height)return x;let a=Math.min(Zn.width/e.width,Zn.height/e.height),o=1.5/a;return y`<svg class="map" aria-hidden="true" @pointerdown=${this.mapPress}
      viewBox="0 0 ${e.width} ${e.height}"
      width=${Math.max(24,e.width*a)} height=${Math.max(24,e.height*a)}>
      ${e.boxes.map(e=>De`<rect class=${e.item.kind?Xn[e.item.kind].tone:N(e.item.stacks[0]?.phase??``).tone} x=${e.x} y=${e.y} width=${256} height=${Math.max(46,o)}></rect>`)}
      ${De`<rect class="window" x=${-t.x/t.scale} y=${-t.y/t.scale}
        width=${n.width/t.scale} height=${n.height/t.scale} vector-effect="non-scaling-stroke"></rect>`}
    </svg>`}lit(){if(this.query)return new Map(this.foundKeys().map(e=>[e,`found`]));if(!this.selected||!this.parsed.stacks.some(e=>e.id===this.selected)){let e=this.layout?.boxes.filter(e=>e.item.stacks.some(e=>this.isOnly(e)));return this.only.length>0?new Map(e?.map(e=>[e.key,`found`])):null}let{upstream:e,downstream:t}=Ht(this.parsed.stacks,this.selected),n=new Map;for(let r of this.layout?.boxes??[])for(let{id:i}of r.item.stacks)i===this.selected?n.set(r.key,`selected`):!n.has(r.key)&&(e.has(i)||t.has(i))&&n.set(r.key,e.has(i)?`upstream`:`downstream`);return n}isOnly(e){return this.only.includes(e.phase)}isFound(e){return Et(this.query,e.id,e.name)}foundKeys(){return(this.layout?.boxes??[]).filter(e=>e.item.stacks.some(e=>this.isFound(e))).map(e=>e.key)}keyOf(e){return this.layout?.boxes.find(t=>t.item.stacks.some(t=>t.id===e))?.key??``}inOrder(e){return[...e.boxes].sort((e,t)=>e.x-t.x||e.y-t.y)}select(e){this.dragged||(this.selected=this.selected===e?``:e,this.emit(`stack-select`,{id:this.selected}))}async open(e){if(this.dragged)return;let t=new Set(this.layout?.boxes.find(t=>t.key===e)?.item.stacks.map(e=>e.id));this.opened=new Set([...this.opened,e]),await this.updateComplete;let n=(this.layout?.boxes??[]).filter(e=>t.has(e.key)).sort((e,t)=>e.y-t.y);await this.focusBox(n[0]?.key??``)}toggleFold(){this.isFolded=!this.folded,this.opened=new Set,this.hasMoved=!1,this.view=null}fit(){this.layout&&(this.view=Wn(this.layout,this.room),this.hasMoved=!0)}zoomBy(e){if(this.view){let t={x:this.room.width/2,y:this.room.height/2};this.go(Kn(this.view,e,t))}}go(e){this.layout&&(this.hasMoved=!0,this.view=Yn(e,this.layout,this.room))}show(e){let t=this.layout?.boxes.find(t=>t.key===e);if(t&&this.view){let e=Jn(this.view,Qn(t),this.room);(e.x!==this.view.x||e.y!==this.view.y)&&this.go(e)}}async focusBox(e){this.focusKey=e,this.show(e),await this.updateComplete,[...this.renderRoot.querySelectorAll(`.box`)].find(t=>t.dataset.key===e)?.focus({preventScroll:!0})}press(e){e.button===0&&this.view&&(this.pointers.set(e.pointerId,{x:e.clientX,y:e.clientY}),this.drag={x:e.clientX,y:e.clientY,view:this.view},this.dragged=!1)}move(e){let t=this.pointers.get(e.pointerId);if(!t||!this.drag||!this.view)return;let n=[...this.pointers].filter(([t])=>t!==e.pointerId).map(([,e])=>e)[0];if(n){let r=e=>Math.hypot(e.x-n.x,e.y-n.y),i=this.canvas.getBoundingClientRect(),a={x:(e.clientX+n.x)/2-i.x,y:(e.clientY+n.y)/2-i.y},o={x:e.clientX,y:e.clientY};this.go(Kn(this.view,r(o)/Math.max(1,r(t)),a)),this.dragged=!0,this.drag={...o,view:this.view}}else{let[t,n]=[e.clientX-this.drag.x,e.clientY-this.drag.y];(this.dragged||Math.hypot(t,n)>4)&&(this.dragged||this.canvas.setPointerCapture(e.pointerId),this.dragged=!0,this.go({...this.drag.view,x:this.drag.view.x+t,y:this.drag.view.y+n}))}this.pointers.set(e.pointerId,{x:e.clientX,y:e.clientY})}release(e){if(!this.pointers.delete(e.pointerId)||(this.drag=null,this.pointers.size>0))return;window.setTimeout(()=>this.dragged=!1);let t=e.target.closest(`.box`)!==null;e.type===`pointerup`&&!this.dragged&&!t&&this.selected&&this.select(this.selected)}mapPress(e){e.stopPropagation();let t=e.currentTarget.getBoundingClientRect(),{layout:n,view:r,room:i}=this;if(n&&r){let a=(e.clientX-t.x)/t.width*n.width,o=(e.clientY-t.y)/t.height*n.height;this.go({...r,x:i.width/2-a*r.scale,y:i.height/2-o*r.scale})}}focusSearch(){this.input.focus(),this.input.select()}type(){this.query=this.input.value,this.emit(`query-change`,{query:this.query});let e=new Set(this.query?this.foundKeys():[]),t=this.layout&&this.inOrder(this.layout).find(t=>e.has(t.key));t&&this.show(t.key)}searchKey(e){e.stopPropagation();let t=this.layout;if(e.key===`Escape`)this.query?(this.input.value=``,this.type()):this.input.blur();else if((e.key===`Enter`||e.key===`ArrowDown`)&&t){e.preventDefault();let n=new Set(this.foundKeys()),r=this.inOrder(t).find(e=>n.has(e.key)||!this.query);r&&this.focusBox(r.key)}}takeKey(e){return e.defaultPrevented||![`+`,`=`,`-`,`0`,`j`,`k`].includes(e.key)?!1:(this.key(e),!0)}key(e){if(e.ctrlKey||e.metaKey||e.altKey||!this.layout)return;let t=this.inOrder(this.layout),n=t.findIndex(e=>e.key===this.focusKey),r=t[n]??t[0],i=r&&this.target(e.key,t,r,Math.max(0,n));if(i)e.preventDefault(),this.focusBox(i.key);else{switch(e.key){case`/`:e.preventDefault(),this.focusSearch();break;case`Escape`:if(!this.selected)return;this.select(this.selected);break;case`+`:case`=`:this.zoomBy(1.3);break;case`-`:this.zoomBy(1/1.3);break;case`0`:this.fit();break;default:return}e.stopPropagation()}}target(e,t,n,r){let i=e=>t.filter(t=>e.includes(t.key)).sort((e,t)=>Math.abs(e.y-n.y)-Math.abs(t.y-n.y))[0],a=this.layout?.edges??[],o=t.filter(e=>e.column===n.column),s=o.indexOf(n);switch(e){case`ArrowRight`:return i(a.filter(e=>e.from===n.key).map(e=>e.to));case`ArrowLeft`:return i(a.filter(e=>e.to===n.key).map(e=>e.from));case`ArrowDown`:return o[s+1];case`ArrowUp`:return o[s-1];case`j`:return t[r+1];case`k`:return t[r-1];case`Home`:return t[0];case`End`:return t.at(-1);default:return}}export(e){let{name:t,stacks:n}=this.parsed,[r,i,a]=e===`SVG`?[this.layout?wn(t,this.layout):``,`image/svg+xml`,`svg`]:e===`DOT`?[Cn(t,n),`text/vnd.graphviz`,`dot`]:[Sn(n),`text/plain`,`mmd`],o=document.createElement(`a`);o.href=URL.createObjectURL(new Blob([r],{type:i})),o.download=`${t||`chain`}.${a}`,o.click(),window.setTimeout(()=>URL.revokeObjectURL(o.href),1e4)}emit(e,t){this.dispatchEvent(new CustomEvent(e,{detail:t,bubbles:!0,composed:!0}))}};K([w({attribute:!1})],Y.prototype,`chain`,void 0),K([w({attribute:!1})],Y.prototype,`advice`,void 0),K([w()],Y.prototype,`selected`,void 0),K([w()],Y.prototype,`query`,void 0),K([w({attribute:!1})],Y.prototype,`only`,void 0),K([w()],Y.prototype,`drawer`,void 0),K([w({attribute:!1})],Y.prototype,`hasMoreRoom`,void 0),K([T()],Y.prototype,`isFolded`,void 0),K([T()],Y.prototype,`opened`,void 0),K([T()],Y.prototype,`view`,void 0),K([T()],Y.prototype,`room`,void 0),K([T()],Y.prototype,`now`,void 0),K([T()],Y.prototype,`focusKey`,void 0),K([T()],Y.prototype,`announcement`,void 0),K([Ye(`.canvas`)],Y.prototype,`canvas`,void 0),K([Ye(`input`)],Y.prototype,`input`,void 0),Y=K([Ge(`stackchain-graph`)],Y);function Qn(e){return{x:e.x,y:e.y,width:256,height:46}}function $n(){return o`
    :host {
      display: flex;
      flex-direction: column;
      min-height: 240px;
      background: var(--canvas);
      position: relative;
    }
    .bar {
      display: flex;
      align-items: center;
      flex-wrap: wrap;
      gap: 8px;
      padding: 8px 24px;
      border-bottom: 1px solid var(--line);
      background: var(--surface);
    }
    .search {
      position: relative;
      display: flex;
      align-items: center;
    }
    .search svg {
      position: absolute;
      left: 9px;
      color: var(--muted);
      pointer-events: none;
    }
    .search input {
      width: 220px;
      padding: 0 34px 0 30px;
      background: var(--canvas);
    }
    .search input::-webkit-search-cancel-button {
      display: none;
    }
    kbd,
    .hits {
      position: absolute;
      right: 8px;
      min-width: 18px;
      padding: 0 5px;
      border: 1px solid var(--line);
      border-radius: 4px;
      background: var(--surface);
      color: var(--muted);
      font: 11px/16px var(--mono);
      text-align: center;
      pointer-events: none;
    }
    .space {
      flex: 1;
    }
    .note {
      font-size: 12px;
    }
    .set {
      display: flex;
      align-items: center;
    }
    .set-name {
      margin: 0 8px 0 6px;
      font-size: 12px;
    }
    .set .button {
      border-radius: 0;
      margin-left: -1px;
    }
    .set .button:first-of-type {
      border-radius: 6px 0 0 6px;
    }
    .set .button:last-of-type {
      border-radius: 0 6px 6px 0;
    }
    .main {
      flex: 1;
      display: flex;
      min-height: 0;
    }
    .canvas {
      flex: 1;
      min-width: 0;
      position: relative;
      overflow: hidden;
      touch-action: none;
      cursor: grab;
      background-image: radial-gradient(circle, var(--line) 1px, transparent 1px);
      background-size: 24px 24px;
      background-position: 12px 12px;
    }
    .canvas:active {
      cursor: grabbing;
    }
    stackchain-drawer {
      width: 380px;
      border-left: 1px solid var(--line);
    }
    .plane {
      position: absolute;
      top: 0;
      left: 0;
      transform-origin: 0 0;
    }
    .edges {
      position: absolute;
      overflow: visible;
      pointer-events: none;
    }
    .edges path {
      fill: none;
      stroke: var(--edge);
      stroke-width: 1.4;
    }
    .has-lit .edges path {
      opacity: 0.3;
    }
    .has-lit .edges path.lit {
      stroke: var(--accent);
      stroke-width: 2;
      opacity: 1;
    }
    .box {
      position: absolute;
      top: 0;
      left: 0;
      display: flex;
      align-items: center;
      gap: 9px;
      width: ${256}px;
      height: ${46}px;
      padding: 0 12px 0 11px;
      border: 1px solid var(--line-strong);
      border-radius: var(--radius);
      background: var(--surface);
      box-shadow: var(--shadow);
      text-align: left;
      cursor: pointer;
      user-select: none;
    }
    .box:hover {
      border-color: var(--tone);
    }
    .box.bad,
    .box.attention,
    .box.active {
      border-color: var(--tone);
    }
    .box.bad {
      background: var(--bad-soft);
    }
    .box.attention {
      background: var(--attention-soft);
    }
    .box.bad .glyph,
    .box.attention .glyph {
      background: var(--surface);
    }
    .box.faint .title {
      color: var(--muted);
    }
    .box.group {
      border-style: dashed;
      box-shadow:
        3px 3px 0 -1px var(--surface),
        3px 3px 0 0 var(--line-strong);
    }
    .box.dim {
      border-color: var(--line);
      background: var(--canvas);
      box-shadow: none;
    }
    .box.dim .title,
    .box.dim .more,
    .box.dim .more b {
      color: var(--muted);
      font-weight: 400;
    }
    .box.dim .glyph {
      opacity: 0.45;
    }
    .box.selected {
      box-shadow: 0 0 0 2px var(--accent);
      border-color: var(--accent);
    }
    .box.upstream,
    .box.downstream,
    .box.found {
      box-shadow: 0 0 0 1.5px var(--accent);
    }
    .box:focus-visible {
      outline: 3px solid var(--accent);
      outline-offset: 3px;
    }
    .lines {
      display: flex;
      flex-direction: column;
      flex: 1;
      min-width: 0;
      line-height: 1.3;
    }
    .title {
      display: flex;
      font-weight: 580;
      min-width: 0;
    }
    .more {
      position: relative;
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
      font-size: 11.5px;
      color: var(--muted);
    }
    .more b {
      font-weight: 550;
      color: var(--tone);
    }
    .running .glyph {
      animation: pulse 1.8s ease-in-out infinite;
    }
    @keyframes pulse {
      50% {
        box-shadow: 0 0 0 4px color-mix(in srgb, var(--tone) 22%, transparent);
      }
    }
    .far .more {
      visibility: hidden;
    }
    .map {
      position: absolute;
      right: 14px;
      bottom: 14px;
      padding: 6px;
      box-sizing: content-box;
      border: 1px solid var(--line);
      border-radius: var(--radius);
      background: var(--surface);
      box-shadow: var(--shadow-high);
      cursor: pointer;
    }
    .map rect {
      fill: var(--tone);
      opacity: 0.75;
    }
    .map rect.faint {
      opacity: 0.35;
    }
    .map .window {
      fill: var(--accent);
      fill-opacity: 0.1;
      stroke: var(--accent);
      stroke-width: 1.5;
      opacity: 1;
    }
    .empty {
      position: absolute;
      inset: 0;
      display: grid;
      place-content: center;
      margin: 0;
      color: var(--muted);
    }
    @media (max-width: 900px) {
      stackchain-drawer {
        position: absolute;
        inset: 0 0 0 auto;
        width: min(380px, 100%);
        z-index: 2;
        box-shadow: var(--shadow-high);
      }
      .set-name {
        display: none;
      }
    }
  `}var er=`stackchain-key`,tr=3e4,nr=1e4,rr=/^#key=([\w-]+)$/,ir=`Your login has ended. Load the page again to log in.`,ar=``;function or(){let e=rr.exec(location.hash)?.[1];try{e&&localStorage.setItem(er,e),ar=e??localStorage.getItem(er)??``}catch{ar=e??``}e&&history.replaceState(null,``,`${location.pathname}${location.search}`)}function sr(e){return`api/stream?${new URLSearchParams(ar?{...e,key:ar}:e).toString()}`}async function cr(e,t={}){return pr(fetch(`api/${e}?${new URLSearchParams(t).toString()}`,{headers:fr(),redirect:`manual`,signal:dr()}))}async function lr(){let e=()=>cr(`session`);return isSecureContext?navigator.locks.request(er,{signal:AbortSignal.timeout(nr)},e).catch(e):e()}async function ur(e,t){return pr(fetch(`api/${e}`,{method:`POST`,redirect:`manual`,signal:dr(),headers:{...fr(),"Content-Type":`application/json`},body:JSON.stringify(t)}))}function dr(){return AbortSignal.timeout(tr)}function fr(){return{Accept:`application/json`,...ar?{"X-StackChain-Key":ar}:{}}}async function pr(e){let t=await e.catch(()=>null),n=O(t?await t.json().catch(()=>null):null),r=t?.ok??!1,i=t?.type===`opaqueredirect`?401:t?.status??0,a=i===401?ir:`The server of this page gives an unexpected answer.`;return{status:i,isGood:r,body:n,error:r?``:A(n.error)||a}}var mr=500,hr={Run:`Run all stacks`,Retry:`Retry`,Bypass:`Bypass`,Approve:`Approve`,Cancel:`Cancel the run`,Suspend:`Suspend`,Resume:`Resume`,Parallelism:`Parallelism`},X=class extends C{constructor(...e){super(...e),this.action=null,this.shown=null,this.problem=``,this.typed=``,this.bound=0,this.isSending=!1,this.copied=``,this.#i=async e=>{e.preventDefault();let{action:t,shown:n}=this;if(t===null||n===null||this.isSending)return;this.isSending=!0,this.problem=``;let r=t.action===`Parallelism`?{parallelism:this.bound}:{},i=await ur(`ask`,{...t,...r,run:n.run,confirmation:this.typed}),a=this.action===t;if(a&&(this.isSending=!1,this.problem=i.error),i.isGood||!a){let e=i.isGood?k(i.body.messages).map(A):[i.error];this.dispatchEvent(new CustomEvent(`asked`,{detail:{messages:e},bubbles:!0,composed:!0}))}i.isGood&&a&&this.close()},this.close=()=>{this.dialog.close()},this.#a=e=>{e.currentTarget.open||(this.action=null)}}static{this.styles=[Mt,Nt,o`
      dialog {
        width: min(560px, calc(100vw - 24px));
        max-height: calc(100dvh - 24px);
        padding: 0;
        border: 1px solid var(--line-strong);
        border-radius: 12px;
        background: var(--surface);
        color: var(--text);
        box-shadow: var(--shadow-high);
      }
      dialog::backdrop {
        background: rgb(10 14 20 / 45%);
      }
      form {
        display: grid;
        gap: 14px;
        padding: 20px 22px;
      }
      h2 {
        margin: 0;
        font-size: 16px;
        overflow-wrap: anywhere;
      }
      h3 {
        margin: 0 0 6px;
        font-size: 12px;
        font-weight: 600;
        color: var(--muted);
      }
      p {
        margin: 0;
        overflow-wrap: anywhere;
        unicode-bidi: plaintext;
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 14px;
        max-height: 168px;
        margin: 0;
        padding: 8px 10px;
        overflow-y: auto;
        list-style: none;
        border: 1px solid var(--line);
        border-radius: 6px;
      }
      li {
        max-width: 100%;
      }
      .warning {
        padding: 10px 12px;
        border-radius: var(--radius);
        background: var(--bad-soft);
        color: var(--bad);
      }
      label {
        display: grid;
        gap: 4px;
      }
      code {
        font-family: var(--mono);
        font-size: 12px;
        overflow-wrap: anywhere;
      }
      .command {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .command p {
        flex: 1;
        min-width: 0;
      }
      .end {
        display: flex;
        justify-content: flex-end;
        gap: 8px;
      }
      .do {
        border-color: transparent;
        background: var(--accent);
        color: var(--surface);
      }
      .do:hover {
        background: var(--accent);
      }
      .do.bad {
        background: var(--bad);
      }
      .do:disabled {
        background: var(--faint-soft);
        color: var(--muted);
        cursor: not-allowed;
      }
    `]}get isOpen(){return this.action!==null}async open(e){this.action=e,this.shown=null,this.problem=``,this.typed=``,this.bound=e.parallelism??0,this.isSending=!1,this.copied=``,await this.updateComplete,this.dialog.showModal();let t=await ur(`preview`,e);this.action===e&&(this.problem=t.error,this.shown=t.isGood?_r(t):null,await this.updateComplete,this.renderRoot.querySelector(`[autofocus]`)?.focus())}render(){let e=this.action;return e===null?x:y`<dialog aria-labelledby="title" @close=${this.#a}>
          <form @submit=${this.#i}>
            <h2 id="title">${gr(e)}</h2>
            ${this.problem?y`<p class="warning" role="alert">${V(this.problem)}</p>`:x}
            ${this.shown?this.#e(e,this.shown):this.problem?x:y`<p>Reading the chain…</p>`}
            <div class="end">
              <button class="button" type="button" @click=${this.close}>Close</button>
              ${this.shown?this.#r(e,this.shown):x}
            </div>
          </form>
        </dialog>`}#e(e,t){let n=e.action===`Parallelism`;return y`<p>${V(t.means)}</p>
      ${n?x:t.messages.map(e=>y`<p>${V(e)}</p>`)}
      ${n?y`<label
            >Stacks that may run at once
            <input class="field" type="number" name="parallelism" min="1" max=${mr} required autofocus
              .value=${String(this.bound)}
              @input=${e=>this.bound=e.target.valueAsNumber||0} />
          </label>`:x}
      ${t.lists.map(({title:e,stacks:t})=>y`<section>
          <h3>${e} (${L(t.length,`stack`)})</h3>
          <ul tabindex="0" aria-label=${e}>
            ${t.map(e=>y`<li>${B(e)}</li>`)}
          </ul>
        </section>`)}
      ${t.destroys?y`<div class="warning">
              This chain's operation is Destroy: its runs destroy what the stacks manage.
            </div>
            <label
              >Type the name of the chain, ${e.name}, to confirm that
              <input class="field" name="confirmation" autocomplete="off" spellcheck="false" autofocus
                .value=${this.typed}
                @input=${e=>this.typed=e.target.value} />
            </label>`:x}
      ${n?x:this.#t(t.command)}`}#t(e){return y`<div class="command">
      <p class="muted">In a terminal: <code>${e}</code></p>
      ${`clipboard`in navigator&&navigator.clipboard?y`<button class="button" type="button" aria-label="Copy the command"
              @click=${()=>this.#n(e)}>${U(`copy`)}${this.copied||`Copy`}</button>
            <span class="unseen" role="status">${this.copied}</span>`:x}
    </div>`}async#n(e){this.copied=await navigator.clipboard.writeText(e).then(()=>`Copied`,()=>`Not copied`)}#r(e,t){let n=e.action===`Parallelism`?this.bound>=1&&this.bound<=mr:t.changes&&(!t.destroys||this.typed===e.name);return y`<button class="button do ${t.dangerous?`bad`:``}" type="submit"
      ?disabled=${!n||this.isSending} ?autofocus=${!t.destroys}>
      ${hr[e.action]??e.action}
    </button>`}#i;#a};K([w({attribute:!1})],X.prototype,`action`,void 0),K([T()],X.prototype,`shown`,void 0),K([T()],X.prototype,`problem`,void 0),K([T()],X.prototype,`typed`,void 0),K([T()],X.prototype,`bound`,void 0),K([T()],X.prototype,`isSending`,void 0),K([T()],X.prototype,`copied`,void 0),K([Ye(`dialog`)],X.prototype,`dialog`,void 0),X=K([Ge(`action-dialog`)],X);function gr(e){let t=e.stacks?.map(z).join(`, `)||e.stage||``,n=hr[e.action]??e.action;return t?`${n} ${t} of ${e.name}`:`${n}: ${e.name}`}function _r({body:e}){return{means:A(e.means),messages:k(e.messages).map(A),lists:k(e.lists).map(e=>{let t=O(e);return{title:A(t.title),stacks:k(t.stacks).map(A)}}),changes:e.changes===!0,dangerous:e.dangerous===!0,destroys:e.destroys===!0,run:M(e.run,0),command:A(e.command)}}var Z={failed:{word:`Failed`,glyph:`cross`,tone:`bad`},person:{word:`Waits for a person`,glyph:`person`,tone:`attention`},blocked:{word:`Blocked`,glyph:`hourglass`,tone:`attention`},unreadable:{word:`Unreadable`,glyph:`question`,tone:`attention`},running:{word:`Running`,glyph:`play`,tone:`active`},suspended:{word:`Suspended`,glyph:`stop`,tone:`faint`},scheduled:{word:`Scheduled`,glyph:`clock`,tone:`faint`},idle:{word:`Not requested`,glyph:`dot`,tone:`faint`},fine:{word:`Succeeded`,glyph:`check`,tone:`good`}},vr=Object.keys(Z);function yr(e){return`${e.namespace}/${e.name}`}function br(e){let t=e=>{let t=vr.indexOf(e.state);return t<0?vr.length:t};return[...e].sort((e,n)=>t(e)-t(n)||G(e.name,n.name)||G(e.namespace,n.namespace))}function xr(e,t){let n=O(e.resource.status),r=new Map(t.stacks.map(e=>[A(e.id),e])),i=new Set(t.removed),a=k(n.stacks).map(e=>[A(O(e).id),e]).filter(([e])=>!i.has(e)).map(([e,t])=>{let n=r.get(e)??t;return r.delete(e),n}),o=t.detail.resource,s={...e.advice,...t.advice};return{...t.detail,resource:{...o,status:{...O(o.status),stacks:[...a,...r.values()]}},advice:Object.fromEntries(Object.entries(s).filter(e=>e[1]!==null)),meanings:{...e.meanings,...t.meanings}}}var Sr=2e3,Cr=4e4,wr=new Set([429,503]),Tr=3e4,Er=class{constructor(e){this.changed=e,this.rows=new Map,this.detail=null,this.isMissing=!1,this.problem=``,this.hello=null,this.hasRows=!1,this.link=`connecting`,this.refusal=``,this.opened=0,this.heardAt=0,this.lostAt=0,this.isUnanswered=!1,this.source=null,this.target=``,this.timer=0,this.silence=0}follow(e,t){let n=sr(t?{namespace:e,name:t}:{});this.source&&n===this.target||(this.target=n,this.detail=null,this.isMissing=!1,this.connect())}resume(){!this.source&&this.link!==`refused`&&this.connect()}close(){window.clearTimeout(this.timer),window.clearTimeout(this.silence),this.source?.close(),this.source=null}connect(){if(this.close(),document.hidden)return;let e=new EventSource(this.target);this.source=e,this.silence=window.setTimeout(()=>void this.failed(e),Cr);let t=(t,n)=>{e.addEventListener(t,t=>{n(JSON.parse(t.data)),this.heard(e)})};t(`hello`,e=>{this.hello=e,this.opened+=1,this.problem=``}),t(`chains`,e=>{this.rows.clear(),e.forEach(e=>this.rows.set(yr(e),e)),this.hasRows=!0}),t(`chain`,e=>this.rows.set(yr(e),e)),t(`gone`,e=>this.rows.delete(yr(e))),t(`detail`,e=>{this.detail=e,this.isMissing=!1}),t(`change`,e=>{this.detail=this.detail&&xr(this.detail,e)}),t(`missing`,()=>this.isMissing=!0),e.addEventListener(`beat`,()=>this.heard(e)),t(`problem`,e=>this.problem=e.text),e.addEventListener(`error`,()=>void this.failed(e))}heard(e){this.heardAt=Date.now(),this.link=`live`,this.lostAt=0,window.clearTimeout(this.silence),this.silence=window.setTimeout(()=>void this.failed(e),Cr),this.changed()}async failed(e){if(e!==this.source)return;this.link=`lost`,this.lostAt||=Date.now(),this.isUnanswered=!0,this.changed(),window.clearTimeout(this.silence),e.close();let t=await lr();if(e!==this.source)return;if(this.isUnanswered=t.status===0,t.status===401||t.status===403){this.link=`refused`,this.refusal=t.error,this.changed();return}this.problem=t.isGood||t.status===0?this.problem:t.error,this.changed();let n=wr.has(t.status)?Tr:Sr;this.timer=window.setTimeout(()=>this.connect(),n)}},Dr=[`graph`,`table`,`timeline`,`events`,`runs`],Or={namespace:``,chain:``,view:`graph`,query:``,only:[],sort:``,stack:``,run:``,isCriticalOnly:!1};function kr(e){let t=new URLSearchParams(e),n=t.get(`view`);return{namespace:t.get(`namespace`)??``,chain:t.get(`chain`)??``,view:Dr.find(e=>e===n)??`graph`,query:t.get(`q`)??``,only:(t.get(`only`)??``).split(`,`).filter(Boolean),sort:t.get(`sort`)??``,stack:t.get(`stack`)??``,run:t.get(`run`)??``,isCriticalOnly:t.get(`path`)===`critical`}}function Ar(e){let t=new URLSearchParams,n=[[`namespace`,e.namespace,``],[`chain`,e.chain,``],[`view`,e.view,`graph`],[`q`,e.query,``],[`only`,e.only.join(`,`),``],[`sort`,e.sort,``],[`stack`,e.stack,``],[`run`,e.run,``],[`path`,e.isCriticalOnly?`critical`:``,``]];for(let[e,r,i]of n)r!==i&&t.set(e,r);let r=t.toString();return r?`?${r}`:`?`}function jr(e,t){let n=t===`events`!=(e.view===`events`);return{...e,view:t,query:n?``:e.query}}var Mr={query:``,only:[],isCriticalOnly:!1};function Nr(e,t){return e===t?`-${t}`:e===`-${t}`?``:t}function Pr(e){let[t,n,...r]=e.split(`/`);return t&&n&&r.length===0?Ar({...Or,namespace:t,chain:n}):``}var Fr=[`stack`,`phase`,`why`,`level`,`changes`,`started`,`took`];function Ir(e,t,n){let r=e.filter(e=>(t.only.length===0||t.only.includes(e.phase))&&Et(t.query,e.id,e.name,e.reason,e.message,e.blockedBy)),i=t.sort.startsWith(`-`),a=t.sort.replace(/^-/,``),o=(e,t)=>N(e.phase).rank-N(t.phase).rank||e.level-t.level||G(e.id,t.id),s=j(Lr,a);return r.sort((e,t)=>{let r=s?s(e,t,n):0;return(i?-r:r)||o(e,t)})}var Lr={stack:(e,t)=>G(e.id,t.id),phase:(e,t)=>N(e.phase).rank-N(t.phase).rank,why:(e,t)=>G(e.reason,t.reason),level:(e,t)=>e.level-t.level,changes:(e,t)=>zr(e)-zr(t),started:(e,t)=>G(e.startTime||`~`,t.startTime||`~`),took:(e,t,n)=>Rr(e,n)-Rr(t,n)};function Rr(e,t){return(e.phase===`Skipped`?null:P(e.startTime,e.completionTime,t))??-1}function zr(e){return e.delta?e.delta.added+e.delta.changed+e.delta.deleted:-1}function Br(e,t){let n=(Z[e.state]??Z.unreadable).word;return Et(t,e.name,e.namespace,n,e.reason,e.headline,e.operation)}function Vr(e,t){let n=F(P(e.startTime,e.completionTime,t)),r=Hr(e,t),i=e.succeededTime?`last succeeded ${I(e.succeededTime,t)} ago`:`has not succeeded yet`;if(!e.startTime){let n=e.createdTime?`created ${I(e.createdTime,t)} ago`:``;return r?[r,n]:[n,``]}if(!e.completionTime){let n=I(e.startTime,t);return[e.state===`suspended`?`started ${n} ago`:`running for ${n}`,Ur(e,t)||i]}return e.succeededTime===e.completionTime?[`succeeded ${I(e.succeededTime,t)} ago`,r||`took ${n}`]:[`ended ${I(e.completionTime,t)} ago`,r||i]}function Hr(e,t){let n=Math.floor((Date.parse(e.nextTime)-t)/1e3);return!Number.isFinite(n)||e.state===`suspended`?``:n>0?`next run in ${Wr(n)}`:`next run is due`}function Ur(e,t){let n=Math.floor((Date.parse(e.estimatedCompletionTime)-t)/1e3);return Number.isFinite(n)?n>0?`likely to end in ${Wr(n)}`:`longer than estimated`:``}function Wr(e){return I(new Date(0).toISOString(),e*1e3)}var Gr=200,Kr=[[`succeeded`,`good`],[`running`,`active`],[`awaitingConfirmation`,`attention`],[`waiting`,`attention`],[`failed`,`bad`],[`timedOut`,`bad`],[`canceled`,`bad`],[`skipped`,`faint`]];function qr(e,t){let n=e.total||0;return y`<span class="shares" role="img" aria-label=${t}>
    ${n>0?Kr.filter(([t])=>e[t]).map(([t,r])=>y`<i class=${r} ${W({width:`${(e[t]??0)/n*100}%`})}></i>`):x}
  </span>`}var Jr=o`
  .shares {
    display: flex;
    gap: 1px;
    height: 6px;
    width: 100%;
    border-radius: 3px;
    overflow: hidden;
    background: var(--faint-soft);
    box-shadow: inset 0 0 0 1px var(--line);
  }
  .shares i {
    background: var(--tone);
    min-width: 3px;
    transition: width 0.3s;
  }
  .shares i.faint {
    opacity: 0.4;
  }
`;function Yr(e){return[[`started`,e.startTime],[e.completionTime?`ended`:`likely to end`,e.completionTime||e.estimatedCompletionTime],[`next run`,e.nextTime]].filter(([,e])=>e).map(([e,t])=>`${e} ${R(t)}`).join(`, `)}var Q=class extends C{constructor(...e){super(...e),this.rows=[],this.route=Or,this.isLoaded=!1,this.scope=``,this.now=Date.now(),this.most=Gr}static{this.styles=[Mt,Nt,Jr,o`
      :host {
        display: block;
        overflow-y: auto;
        background: var(--canvas);
      }
      .inside {
        max-width: 1320px;
        margin: 0 auto;
        padding: 20px 24px 48px;
      }
      h1 {
        margin: 0 0 14px;
        font-size: 18px;
        font-weight: 640;
        letter-spacing: -0.01em;
      }
      h1 span {
        margin-left: 6px;
        font-weight: 400;
        color: var(--muted);
      }
      .filters {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        margin-bottom: 14px;
      }
      .filters .field {
        width: 260px;
      }
      .chip {
        gap: 6px;
      }
      .chip .glyph {
        width: 18px;
        height: 18px;
      }
      .chip b {
        font-weight: 600;
      }
      .chip {
        max-width: 100%;
      }
      .chip .cut {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
        border: 1px solid var(--line);
        border-radius: 10px;
        background: var(--surface);
        box-shadow: var(--shadow);
        overflow: hidden;
      }
      li + li {
        border-top: 1px solid var(--line);
      }
      .chain,
      .heads {
        display: grid;
        grid-template-columns: 24px minmax(150px, 1.1fr) minmax(0, 2.6fr) 132px 72px 166px;
        align-items: center;
        gap: 4px 16px;
        padding: 11px 18px;
        color: inherit;
        text-decoration: none;
      }
      .heads {
        padding-bottom: 5px;
        font-size: 12px;
        color: var(--muted);
      }
      .meta {
        display: contents;
      }
      .run,
      .when {
        display: grid;
        justify-items: end;
        align-content: center;
      }
      .destroy {
        padding: 0 6px;
        border: 1px solid var(--bad);
        border-radius: 4px;
        background: var(--bad-soft);
        color: var(--bad);
        font-weight: 600;
      }
      .chain:hover {
        background: var(--hover);
        text-decoration: none;
      }
      .chain:focus-visible {
        outline-offset: -3px;
      }
      .name {
        min-width: 0;
      }
      .name .id {
        font-weight: 600;
        display: flex;
      }
      .name .muted,
      .small {
        font-size: 12px;
      }
      .what {
        min-width: 0;
      }
      .what b {
        color: var(--tone);
        font-weight: 580;
      }
      .text {
        display: block;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-size: 12px;
        color: var(--muted);
        unicode-bidi: plaintext;
        text-align: left;
      }
      .progress {
        display: grid;
        gap: 5px;
      }
      .right {
        text-align: right;
      }
      .empty {
        padding: 56px 24px;
        text-align: center;
        color: var(--muted);
      }
      .empty code {
        font-family: var(--mono);
      }
      .rest {
        margin: 16px auto 0;
        display: flex;
      }
      @media (max-width: 900px) {
        .chain {
          grid-template-columns: 24px minmax(0, 1fr) 92px;
        }
        .what {
          grid-column: 2 / -1;
          grid-row: 2;
        }
        .progress {
          grid-column: 3;
          grid-row: 1;
        }
        .heads {
          display: none;
        }
        .meta {
          grid-column: 2 / -1;
          grid-row: 3;
        }
        .meta {
          display: flex;
          flex-wrap: wrap;
          align-items: baseline;
          gap: 2px 10px;
        }
        .run,
        .when {
          display: contents;
        }
        .inside {
          padding: 16px 12px 40px;
        }
        .chain {
          padding: 11px 12px;
          gap: 4px 10px;
        }
        .filters .field {
          width: 100%;
        }
      }
    `]}focusSearch(){this.renderRoot.querySelector(`input`)?.focus()}render(){let{query:e,only:t,namespace:n}=this.route,r=n?this.rows.filter(e=>e.namespace===n):this.rows,i=br(r.filter(n=>(t.length===0||t.includes(n.state))&&Br(n,e)));return y`<div class="inside">
      <h1>Chains <span>${r.length.toLocaleString(`en-US`)}</span></h1>
      ${this.rows.length>0?this.renderFilters(r):x}
      ${i.length>0?y`<div class="heads" aria-hidden="true">
            <span></span><span>Chain</span><span>State</span><span>Progress</span><span class="right">Run</span>
            <span class="right">Times</span>
          </div>
          <ul @keydown=${this.key}>
            ${yt(i.slice(0,this.most),yr,e=>this.renderRow(e))}
          </ul>`:this.renderEmpty()}
      ${i.length>this.most?y`<button class="button rest" @click=${()=>this.most+=Gr}>
            Show more (${(i.length-this.most).toLocaleString(`en-US`)} left)
          </button>`:x}
    </div>`}renderFilters(e){let{namespace:t}=this.route,n=new Map;return e.forEach(e=>n.set(e.state,(n.get(e.state)??0)+1)),y`<div class="filters">
      <input class="field" type="search" placeholder="Search name, namespace, reason" aria-label="Search chains"
        aria-keyshortcuts="/" .value=${this.route.query} @input=${this.type} />
      ${t?y`<button class="button chip" aria-label="Namespace ${t}: show all namespaces"
            @click=${()=>this.go({...this.route,namespace:``})}>
            <span class="cut">Namespace ${z(t)}</span>${U(`close`)}
          </button>`:x}
      ${vr.filter(e=>n.has(e)||this.route.only.includes(e)).map(e=>{let{word:t,glyph:r,tone:i}=Z[e];return y`<button class="button chip ${i}" aria-pressed=${this.route.only.includes(e)}
          @click=${()=>this.toggle(e)}>
          ${H(r)}${t} <b>${n.get(e)??0}</b>
        </button>`})}
    </div>`}renderRow(e){let t=Z[e.state]??Z.unreadable,n=Ar({...Or,namespace:e.namespace,chain:e.name}),[r,i]=Vr(e,this.now),a=e.summary.total??0;return y`<li>
      <a class="chain ${t.tone}" href=${n} data-internal>
        ${H(t.glyph)}
        <span class="name">${B(e.name)}<span class="muted">${e.namespace}</span></span>
        <span class="what"
          ><b>${t.word}</b>${e.reason&&e.reason!==t.word?y`<span class="muted small"> ${z(e.reason)}</span>`:x}
          <span class="text">${z(e.headline)}</span></span
        >
        <span class="progress">
          ${a>0?y`<span class="small muted">${e.progress}</span>
                ${qr(e.summary,`${e.progress} stacks done`)}`:y`<span class="small muted">No stacks yet</span>`}
        </span>
        <span class="meta small">
          <span class="run right"
            >${e.run?y`<span>Run ${e.run}</span>`:x}
            ${e.operation?y`<span class=${e.operation===`Destroy`?`destroy`:`muted`}>${e.operation}</span>`:x}</span
          >
          <span class="when right" title=${Yr(e)}
            ><span>${r}</span>${i?y` <span class="muted">${i}</span>`:x}</span
          >
        </span>
      </a>
    </li>`}renderEmpty(){return this.isLoaded?this.rows.length>0?y`<div class="empty">
        No chain matches.
        <button class="button" @click=${()=>this.go({...this.route,...Mr,namespace:``})}>Show all ${L(this.rows.length,`chain`)}</button>
      </div>`:y`<div class="empty">
      There are no StackChains in ${this.scope||`this namespace`}.<br />
      Create one with <code>kubectl apply -f examples/platform.yaml</code>; it appears here.
    </div>`:y`<div class="empty">Reading the chains…</div>`}type(e){this.go({...this.route,query:e.target.value})}toggle(e){let{only:t}=this.route,n=t.includes(e)?t.filter(t=>t!==e):[...t,e];this.go({...this.route,only:n})}key(e){let t=[...this.renderRoot.querySelectorAll(`a.chain`)],n=t.indexOf(e.target),r={j:1,ArrowDown:1,k:-1,ArrowUp:-1}[e.key],i=r&&t[n+r];i&&(e.preventDefault(),i.focus())}go(e){this.dispatchEvent(new CustomEvent(`go`,{detail:{route:e,isSmall:!0},bubbles:!0,composed:!0}))}};K([w({attribute:!1})],Q.prototype,`rows`,void 0),K([w({attribute:!1})],Q.prototype,`route`,void 0),K([w({type:Boolean})],Q.prototype,`isLoaded`,void 0),K([w()],Q.prototype,`scope`,void 0),K([w({type:Number})],Q.prototype,`now`,void 0),K([T()],Q.prototype,`most`,void 0),Q=K([Ge(`chain-list`)],Q);var Xr=3,Zr={"Estimated end":`Judging by how long its stacks took before. Waits for people are not included.`},Qr={...N(`AwaitingConfirmation`),word:`Awaiting approval`};function $r(e){let{chain:t,detail:n}=e,r=Z[n.state]??Z.unreadable,i=n.headline,a=n.do&&!n.do.startsWith(`Nothing`)?Rn(n,e.rights===`change`,hr[n.ask]):``;return y`<section class="headline ${r.tone}" aria-label="State of the chain">
    <div class="state">
      ${H(r.glyph)}
      <div class="words">
        <h1>${r.word} <span class="muted reason">${z(t.ready?.reason??``)}</span></h1>
        ${i?y`<p class="message" title=${z(i)}>${V(z(i))}</p>`:x}
        ${n.notes.map(e=>y`<p class="small muted">${V(e)}</p>`)}
        ${a?y`<p class="small">
              <b>What to do:</b> ${V(a)}
            </p>`:x}
        ${n.problem?y`<p class="small bad-text">${V(n.problem)}</p>`:x}
      </div>
    </div>
    ${ei(e)}
  </section>`}function ei({chain:e,detail:t,route:n,now:r}){let i=e.run,a=i?F(P(i.startTime,i.completionTime,r)):``,o=i?[[`Run`,i.number],[`Cause`,i.cause],[`Operation`,i.operation],[i.completionTime?`Took`:`Elapsed`,a],[`Estimated end`,i.completionTime?``:At(i.estimatedCompletionTime,r),kt(i.estimatedCompletionTime)],[`Progress`,i.progress],[`Changes`,t.changes]]:[];return e.nextTime&&o.push([`Next run`,R(e.nextTime,r),kt(e.nextTime)]),y`<dl class="facts">
    ${o.filter(([,e])=>e!==``).map(([e,t,n])=>y`<div title=${[n,Zr[e]].filter(Boolean).join(`. `)||x}><dt>${e}</dt><dd>${t}</dd></div>`)}
    ${t.runsAfter.length>0?y`<div>
          <dt>Runs after</dt>
          <dd>
            ${t.runsAfter.map(e=>y`<a class="after" href=${Ar({...Or,namespace:n.namespace,chain:e})} data-internal>${z(e)}</a>`)}
          </dd>
        </div>`:x}
    ${i?.workflowUrl?y`<div>
          <dt>Workflow</dt>
          <dd><a href=${i.workflowUrl} target="_blank" rel="noopener noreferrer">Temporal ${U(`out`)}</a></dd>
        </div>`:x}
  </dl>`}function ti({detail:e,rights:t,ask:n}){let{possible:r}=e;if(t===`away`)return y`<p class="actions muted small">Actions are possible again once the server of this page answers.</p>`;if(t===`view`||t===`unavailable`)return y`<p class="actions muted small">${t===`view`?`You may view this chain, but not change it.`:`It is not known right now whether you may change this chain.`}</p>`;if(t===`unknown`||r.actions.length===0)return x;let i=e=>e===`Parallelism`?`Parallelism: ${r.parallelism}`:hr[e]??e;return y`<div class="actions" role="group" aria-label="Actions">
    ${r.actions.map(e=>y`<button class="button" aria-haspopup="dialog"
        @click=${()=>n({action:e,...e===`Parallelism`?{parallelism:r.parallelism}:{}})}>${i(e)}</button>`)}
  </div>`}function ni(e){let{chain:t,route:n,go:r}=e,i=new Map;if(t.stacks.forEach(e=>i.set(e.phase,(i.get(e.phase)??0)+1)),n.only.filter(e=>!i.has(e)).forEach(e=>i.set(e,0)),i.size===0)return y`<div class="phases">${ti(e)}</div>`;let a=Object.fromEntries([...i].map(([e,t])=>[`${e.charAt(0).toLowerCase()}${e.slice(1)}`,t])),o=[...i].sort(([e],[t])=>N(e).rank-N(t).rank),s=e=>{let t=n.only.includes(e)?n.only.filter(t=>t!==e):[...n.only,e];r({only:t,view:n.view===`timeline`?`timeline`:`table`})},c=o.map(([e,t])=>`${t} ${N(e).word.toLowerCase()}`).join(`, `);return y`<div class="phases">
    ${qr({...a,total:t.stacks.length},`${t.run?.progress??``} stacks done: ${c}`)}
    <div class="chips" role="group" aria-label="Show only stacks of a phase">
      ${o.map(([e,t])=>{let r=N(e);return y`<button class="chip ${r.tone}" aria-pressed=${n.only.includes(e)}
          @click=${()=>s(e)}>${H(r.glyph)}<b>${t}</b> ${r.word}</button>`})}
    </div>
    ${ti(e)}
  </div>`}function ri({detail:e,now:t}){return e.stages.length===0?x:y`<ol class="stages" aria-label="Stages">
    ${e.stages.map(e=>{let n=N(e.phase);return y`<li class=${n.tone}>
        ${H(n.glyph)}
        <span><b>${z(e.name)}</b> <span class="muted">${e.progress}</span>
          <span class="small stage-text" title=${z(e.message)}>${ii(e,t)||n.word}</span></span>
      </li>`})}
  </ol>`}function ii(e,t){return e.waits?e.until?`${e.waits}, ${F(Math.max(0,P(new Date(t).toISOString(),e.until,t)??0))} left`:e.since?`${e.waits} for ${I(e.since,t)}`:e.waits:e.approvedTime?`approved ${R(e.approvedTime)}`:``}function ai(e){let t=e.detail.needs;if(t.length===0)return x;let n=e.areNeedsOpen,r=n?e.areAllNeeds?t:t.slice(0,Xr):[];return y`<section class="needs" aria-labelledby="needs">
    <h2 id="needs"><button aria-expanded=${n} @click=${()=>e.openNeeds(!n)}>${U(n?`down`:`right`)}
      Needs you <span class="count">${t.length}</span></button></h2>
    ${n?y`<ul>
          ${r.map(t=>t.stage?oi(t,e):li(t,e))}
        </ul>`:x}
    ${n&&t.length>Xr?y`<button class="more" aria-expanded=${e.areAllNeeds}
          @click=${()=>e.showAllNeeds(!e.areAllNeeds)}>
          ${e.areAllNeeds?`Show fewer`:`Show all ${t.length}`}
        </button>`:x}
  </section>`}function oi(e,{detail:t,rights:n,ask:r}){let i=n===`change`&&t.possible.approvable.includes(e.stage);return y`<li class=${Qr.tone}>
    <div class="need">
      ${H(Qr.glyph)}
      <span class="who"><span class="muted kind">stage</span>${z(e.stage)}</span>
      <span class="phase-word">${Qr.word}</span>
      ${ci(e,n)}
    </div>
    ${i?si(e.stage,r):x}
  </li>`}function si(e,t){return y`<button class="button" aria-haspopup="dialog" aria-label="Approve ${z(e)}"
    @click=${()=>t({action:`Approve`,stage:e})}>Approve</button>`}function ci(e,t){let n=t===`change`,r=Rn(e,n,hr[e.ask]),i=n&&e.ask&&e.id?Rn({...e,command:``},n,hr[e.ask]):r,a=e.do&&e.do!==`Nothing.`;return y`<span class="said" title=${z(e.message)}>${V(z(e.message||e.means||e.reason))}${a?y`<span class="todo" title=${r}>${V(i)}</span>`:x}</span>
    <span class="holds">${e.held>0?`holds up ${L(e.held,`stack`)}`:``}</span>`}function li(e,{route:t,rights:n,ask:r,go:i}){let a=N(e.phase),o=t.stack===e.id,s=ht(e.runUrl);return y`<li class="${a.tone} ${o?`picked`:``}">
    <button class="need" aria-pressed=${o} @click=${()=>i({stack:o?``:e.id})}>
      ${H(a.glyph)}
      <span class="who">${B(e.id)}</span>
      <span class="phase-word">${a.word}</span>
      ${ci(e,n)}
    </button>
    ${n===`change`&&e.actions.includes(`Retry`)?y`<button class="button" aria-haspopup="dialog" aria-label="Retry ${e.id}"
          @click=${()=>r({action:`Retry`,stacks:[e.id]})}>Retry</button>`:x}
    ${s?y`<a class="button" href=${s} target="_blank" rel="noopener noreferrer"
          aria-label="Open the run of ${e.id} in Spacelift">Spacelift ${U(`out`)}</a>`:x}
  </li>`}var ui=o`
  .headline {
    display: flex;
    flex-wrap: wrap;
    gap: 12px 40px;
    align-items: flex-start;
    justify-content: space-between;
    padding: 16px 24px 12px;
  }
  .state {
    display: flex;
    gap: 12px;
    flex: 1 1 420px;
    min-width: 0;
  }
  .state > .glyph {
    width: 34px;
    height: 34px;
    padding: 5px;
  }
  .words {
    min-width: 0;
  }
  h1 {
    margin: 0;
    font-size: 17px;
    font-weight: 640;
    letter-spacing: -0.01em;
    line-height: 1.3;
    color: var(--tone);
  }
  .reason {
    margin-left: 10px;
    font-size: 13px;
    font-weight: 400;
    letter-spacing: 0;
  }
  .words p {
    margin: 2px 0 0;
    max-width: 92ch;
    overflow-wrap: anywhere;
    unicode-bidi: plaintext;
  }
  .words .message {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    overflow: hidden;
  }
  .small {
    font-size: 12px;
  }
  .bad-text {
    color: var(--bad);
  }
  .facts {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 28px;
    margin: 0;
  }
  .facts dt {
    font-size: 11.5px;
    color: var(--muted);
  }
  .facts dd {
    margin: 1px 0 0;
    font-weight: 560;
    white-space: nowrap;
  }
  .facts a {
    display: inline-flex;
    align-items: center;
    gap: 4px;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin: 0;
    margin-left: auto;
  }
  .phases {
    padding: 0 24px 12px;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 16px;
  }
  .phases > .shares {
    flex: 1 0 100%;
  }
  .after + .after {
    margin-left: 10px;
  }
  .stages {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin: 0;
    padding: 0 24px 12px;
    list-style: none;
  }
  .stages li {
    display: flex;
    align-items: center;
    gap: 8px;
    min-width: 0;
    padding: 6px 12px 6px 8px;
    border: 1px solid var(--line);
    border-radius: var(--radius);
  }
  .stage-text {
    display: block;
    color: var(--tone);
    overflow-wrap: anywhere;
  }
  .chips {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    margin-left: -5px;
  }
  .chip {
    display: inline-flex;
    align-items: center;
    gap: 5px;
    height: 26px;
    padding: 0 8px 0 4px;
    border: 1px solid transparent;
    border-radius: 13px;
    background: none;
    cursor: pointer;
  }
  .chip:hover {
    background: var(--hover);
  }
  .chip[aria-pressed="true"] {
    border-color: var(--accent);
    background: var(--accent-soft);
  }
  .chip b {
    font-weight: 640;
  }
  .needs {
    margin: 0 24px 14px;
    border: 1px solid var(--line);
    border-radius: 10px;
    background: var(--surface);
    box-shadow: var(--shadow);
    overflow: hidden;
  }
  .needs h2 {
    margin: 0;
    font-size: 12.5px;
    font-weight: 620;
  }
  .needs h2 button {
    display: flex;
    align-items: center;
    gap: 6px;
    width: 100%;
    padding: 8px 14px 7px 10px;
    border: 0;
    background: none;
    font-weight: inherit;
    text-align: left;
    cursor: pointer;
  }
  .needs h2 button:focus-visible {
    outline-offset: -3px;
  }
  .count {
    display: inline-block;
    min-width: 18px;
    margin-left: 4px;
    padding: 0 5px;
    border-radius: 9px;
    background: var(--bad-soft);
    color: var(--bad);
    font-size: 11.5px;
    line-height: 18px;
    text-align: center;
  }
  .needs ul {
    max-height: min(264px, 32vh);
    margin: 0;
    padding: 0;
    overflow-y: auto;
    list-style: none;
  }
  .needs li {
    display: flex;
    align-items: center;
    gap: 12px;
    padding-right: 12px;
    border-top: 1px solid var(--line);
  }
  .needs li:hover {
    background: var(--hover);
  }
  .needs li.picked {
    background: var(--accent-soft);
  }
  .need {
    flex: 1;
    min-width: 0;
    display: grid;
    grid-template-columns: 20px minmax(110px, min(34ch, 24%)) 150px minmax(0, 1fr) auto;
    gap: 12px;
    align-items: center;
    min-height: 44px;
    padding: 5px 0 5px 14px;
    border: 0;
    background: none;
    text-align: left;
    cursor: pointer;
  }
  .need:focus-visible {
    outline-offset: -3px;
  }
  .need .who {
    font-weight: 600;
    display: flex;
    min-width: 0;
  }
  div.need {
    cursor: default;
  }
  .kind {
    margin-right: 6px;
    font-weight: 400;
  }
  .phase-word {
    color: var(--tone);
    font-weight: 550;
    font-size: 12.5px;
  }
  .needs .said {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    unicode-bidi: plaintext;
    text-align: left;
  }
  .todo {
    display: block;
    overflow: hidden;
    text-overflow: ellipsis;
    font-size: 12px;
    color: var(--muted);
  }
  .holds {
    color: var(--muted);
    font-size: 12px;
    white-space: nowrap;
  }
  .needs .more {
    width: 100%;
    padding: 7px 14px;
    border: 0;
    border-top: 1px solid var(--line);
    background: none;
    color: var(--accent);
    text-align: left;
    cursor: pointer;
  }
  .needs .more:hover {
    background: var(--hover);
  }
  @media (max-width: 700px) {
    .headline,
    .stages,
    .phases {
      padding-left: 14px;
      padding-right: 14px;
    }
    .state {
      flex-basis: 100%;
    }
    .facts {
      gap: 8px 22px;
    }
    .reason {
      display: block;
      margin: 0;
    }
    .words .message {
      -webkit-line-clamp: 5;
    }
    .needs {
      margin: 0 14px 14px;
    }
    .actions {
      margin-left: 0;
    }
    .needs ul {
      max-height: none;
    }
    .needs li {
      flex-wrap: wrap;
      gap: 0 8px;
      padding: 0 12px 10px;
    }
    .needs li > .button {
      margin-left: 30px;
    }
    .needs li > .button + .button {
      margin-left: 0;
    }
    .need {
      flex: 1 0 100%;
      grid-template-columns: 20px minmax(0, 1fr);
      gap: 2px 10px;
      padding: 9px 0;
    }
    .phase-word {
      grid-column: 2;
    }
    .needs .said {
      grid-column: 2 / -1;
      white-space: normal;
      display: -webkit-box;
      -webkit-box-orient: vertical;
      -webkit-line-clamp: 4;
    }
    .todo {
      white-space: normal;
    }
    .holds {
      grid-column: 2 / -1;
    }
    .holds:empty {
      display: none;
    }
  }
`,di=[`failed`,`timedOut`,`canceled`,`skipped`],fi=[...di,`awaitingConfirmation`,`waiting`,`running`,`pending`,`succeeded`];function pi(e,t){if(!t||!e.completionTime||!t.completionTime)return[];let n=[];e.operation!==t.operation&&n.push(`${e.operation} instead of ${t.operation}`);let r=P(e.startTime,e.completionTime,0),i=P(t.startTime,t.completionTime,0);r!==null&&i!==null&&r!==i&&n.push(`${F(Math.abs(r-i))} ${r>i?`longer`:`shorter`}`);let[a,o]=[e.summary,t.summary];if(a.total!==void 0&&o.total!==void 0){let e=a.total-o.total;e!==0&&n.push(`${Math.abs(e)} ${e>0?`more`:`fewer`} ${Math.abs(e)===1?`stack`:`stacks`}`);for(let e of di){let t=(a[e]??0)-(o[e]??0);t!==0&&n.push(`${Math.abs(t)} ${t>0?`more`:`fewer`} ${gi(e).toLowerCase()}`)}}return n.length>0?n:[`no difference`]}function mi(e){return fi.map(t=>({phase:hi(t),count:e.summary[t]??0})).filter(({count:e})=>e>0)}function hi(e){return`${e.charAt(0).toUpperCase()}${e.slice(1)}`}function gi(e){return N(hi(e)).word}function _i(e){let t=vi(e);return t!==null&&t.type===`Range`&&t.toString().trim()!==``}function vi(e){return e.currentTarget.getRootNode().getSelection?.()??document.getSelection()}function yi(e){let t=vi(e)?.toString()??``,n=[...e.currentTarget.querySelectorAll(`.id .head`)].reduce((e,t)=>{let n=t.nextElementSibling?.textContent??``;return n?e.replaceAll(`${t.textContent}\n${n}`,`${t.textContent}${n}`):e},t);e.clipboardData&&n!==t&&(e.clipboardData.setData(`text/plain`,n),e.preventDefault())}var bi=class extends Qe{constructor(...e){super(...e),this.isDrawn=!1}render(e){return b}update({element:e},[t]){return t&&!this.isDrawn&&requestAnimationFrame(()=>Ci(e)),this.isDrawn=!0,b}},xi=3e3,Si=[`wheel`,`pointerdown`,`keydown`,`touchmove`];function Ci(e){let t=e.closest(`.scroll`);if(!e.isConnected||!t)return;let n=new ResizeObserver(()=>e.scrollIntoView({block:`nearest`})),r=()=>{n.disconnect(),Si.forEach(e=>removeEventListener(e,r))};n.observe(t),Si.forEach(e=>addEventListener(e,r,{passive:!0})),setTimeout(r,xi)}var wi=Ze(bi);function Ti(e,t,n){let r=e.filter(e=>Number.isFinite(Date.parse(e.startTime))&&e.phase!==`Skipped`),i=e=>e.completionTime?Date.parse(e.completionTime):n,a=Date.parse(t?.startTime??``),o=Math.min(...r.map(e=>Date.parse(e.startTime)),...Number.isFinite(a)?[a]:[]),s=t?.completionTime?Date.parse(t.completionTime):t?n:NaN,c=Math.max(...r.map(i),Number.isFinite(s)?s:0,o+1e3),l=Ei(r,i),u=new Map(r.map(e=>[e.id,i(e)])),d=e=>Math.max(o,...e.dependsOn.map(e=>u.get(e)??o));return{bars:r.map(e=>({stack:e,start:(Date.parse(e.startTime)-o)/(c-o),end:(Math.max(Date.parse(e.startTime),i(e))-o)/(c-o),isCritical:l.has(e.id),waitedFrom:(d(e)-o)/(c-o)})).sort((e,t)=>e.start-t.start||e.end-t.end||G(e.stack.id,t.stack.id)),from:r.length>0?o:n,until:r.length>0?c:n,others:e.length-r.length}}function Ei(e,t){let n=new Map(e.map(e=>[e.id,e])),r=e=>e.map(e=>n.get(e)).filter(e=>e!==void 0).sort((e,n)=>t(n)-t(e)||G(e.id,n.id))[0],i=new Set,a=r([...n.keys()]);for(;a&&!i.has(a.id);)i.add(a.id),a=r(a.dependsOn);return i}function Di(e,t){let n=[1,2,5,10,15,30,60,120,300,600,900,1800,3600,7200,14400,43200,86400].find(n=>e/n<=t)??Math.ceil(e/t/86400)*86400;return Array.from({length:Math.floor(e/n)+1},(e,t)=>t*n)}function Oi(e,t){return t>=86400?new Date(e).toLocaleDateString(`en-US`,{month:`short`,day:`numeric`}):new Date(e).toLocaleTimeString(`en-US`,{hour:`2-digit`,minute:`2-digit`,...t%60==0?{}:{second:`2-digit`},hourCycle:`h23`})}var ki={stack:`Stack`,phase:`Phase`,why:`Why`,level:`Level`,changes:`Changes`,started:`Started`,took:`Took`};function Ai(e){let{chain:t,route:n,now:r,go:i}=e,a=Ir(t.stacks,n,r);return t.stacks.length===0?Ni(Dt(t)):y`<div class="scroll stacks ${t.stacks.some(e=>e.id===n.stack)?`with-drawer`:``}" @copy=${yi}>
    <table>
      <thead>
        <tr>
          ${Fr.map(e=>ji(e,n,i))}
          <th class="c-link"><span class="unseen">Link</span></th>
        </tr>
      </thead>
      <tbody>
        ${yt(a,e=>e.id,t=>Mi(t,e))}
      </tbody>
    </table>
    ${a.length===0?Pi(`No stack matches.`,i):x}
  </div>`}function ji(e,t,n){let r=t.sort===e?`ascending`:t.sort===`-${e}`?`descending`:`none`,i=r===`ascending`?`↑`:r===`descending`?`↓`:``;return y`<th class="c-${e}" aria-sort=${r}>
    <button @click=${()=>n({sort:Nr(t.sort,e)})}>${ki[e]} ${i}</button>
  </th>`}function Mi(e,{chain:t,meanings:n,route:r,now:i,go:a}){let o=Fn(e,t.stacks,n),s=e.phase===`Skipped`?``:F(P(e.startTime,e.completionTime,i)),c=e.id===r.stack;return y`<tr class=${c?`picked`:``} @click=${t=>{_i(t)||a({stack:c?``:e.id})}} ${wi(c)}>
    <td class="c-stack"><button class="row" aria-pressed=${c}>${B(e.id)}</button></td>
    <td class="c-phase">${Pt(e.phase)}</td>
    <td class="c-why"><span class="cut" title=${o}>${V(o)}</span></td>
    <td class="c-level">${e.level+1}</td>
    <td class="c-changes">${Tt(e.delta)}</td>
    <td class="c-started">${e.startTime?`${I(e.startTime,i)} ago`:``}</td>
    <td class="c-took">${s}</td>
    <td class="c-link">${e.runUrl?y`<a class="button icon plain" href=${e.runUrl} target="_blank" rel="noopener noreferrer"
          aria-label="Open the run of ${e.id} in Spacelift" @click=${e=>e.stopPropagation()}>${U(`out`)}</a>`:x}</td>
  </tr>`}function Ni(e){return y`<p class="none">${e}</p>`}function Pi(e,t){return y`<p class="none">${e} <button class="button" @click=${()=>t(Mr)}>Show all</button></p>`}function Fi({chain:e,route:t,now:n,isPhone:r,go:i}){let{bars:a,from:o,until:s,others:c}=Ti(e.stacks,e.run,n);if(a.length===0)return Ni(e.stacks.length>0?`No stack has run.`:Dt(e));let l=a.filter(({stack:e,isCritical:n})=>Et(t.query,e.id,e.name)&&(t.only.length===0||t.only.includes(e.phase))&&(n||!t.isCriticalOnly)),u=(s-o)/1e3,d=e=>`${(e*100).toFixed(3)}%`,f=innerWidth<1e3||e.stacks.some(e=>e.id===t.stack),p=Di(u,r?3:f?4:8),m=p[1]??1,h=e=>R(new Date(o+e*(s-o)).toISOString());return y`<div class="scroll gantt" @copy=${yi}>
    <div class="axis">
      <div class="key">
        <button class="button" aria-pressed=${t.isCriticalOnly}
          @click=${()=>i({isCriticalOnly:!t.isCriticalOnly})}>Critical path only</button>
        <span title="From the stack that ended last back to a root, over the upstream stack that ended last each time"
          ><span class="bar critical sample"></span>critical path: what made the run take this long</span>
        <span><span class="wait sample"></span>time it waited</span>
        <span>started ${R(new Date(o).toISOString())}</span>
        ${c>0?y`<span>${L(c,`stack`)} ${c===1?`has`:`have`} not run</span>`:x}
      </div>
      <span></span>
      <div class="track">
        ${p.map(e=>y`<span class="tick" title=${h(e/u)} ${W({left:d(e/u)})}
            >${F(e)}${r?x:y`<br /><span class="clock">${Oi(o+e*1e3,m)}</span>`}</span
          >`)}
      </div>
    </div>
    ${yt(l,({stack:e})=>e.id,({stack:e,start:a,end:o,isCritical:s,waitedFrom:c})=>{let l=N(e.phase),f=F(P(e.startTime,e.completionTime,n)),m=Math.max(o-a,.002),h=e.id===t.stack,ee=s?Math.round((a-c)*u):0,te=ee>0?`waited ${F(ee)}`:``,ne=e.attempts>1?`attempt ${e.attempts}`:``,re=e.completionTime?`ended ${R(e.completionTime)}`:`has not ended`,ie=[`started ${R(e.startTime)}`,re,`took ${f}`,ne,te];return y`<button class="lane ${l.tone} ${h?`picked`:``}"
          aria-pressed=${h} ${wi(h)}
          @click=${t=>_i(t)||i({stack:h?``:e.id})}>
          <span class="who">${H(l.glyph)}${B(e.id)}</span>
          <span class="unseen">${[l.word,s?`on the critical path`:``,...ie].filter(Boolean).join(`, `)}</span>
          <span class="track" aria-hidden="true" title=${ie.filter(Boolean).join(`, `)}>
            ${p.map(e=>y`<i class="grid" ${W({left:d(e/u)})}></i>`)}
            ${ee>0?y`<i class="wait" ${W({left:d(c),width:d(a-c)})}></i>`:x}
            <span class="bar ${s?`critical`:``} ${e.phase===`Running`?`running`:``}"
              ${W({left:d(a),width:d(m)})}></span>
            <span class="took" ${W({left:d(a+m)})}
              >${f}${ne?y` <span class="attempt">${r?`×${e.attempts}`:ne}</span>`:x}</span
            >
          </span>
        </button>`})}
    ${l.length===0?Pi(`No stack matches.`,i):x}
  </div>`}function Ii(e,t,{route:n,now:r,go:i}){if(t)return y`<p class="none">${V(t)}</p>`;if(e===null)return Ni(`Reading the events…`);let a=e.filter(e=>Et(n.query,e.reason,e.message));return y`<div class="scroll">
    ${a.length===0&&e.length>0?Pi(`No event matches.`,i):a.length===0?Ni(`The cluster has no events of this chain; it keeps them for an hour.`):y`<ol class="events">
          ${a.map(e=>y`<li class=${e.type===`Warning`?`bad`:`faint`}>
              <time datetime=${e.time} title=${kt(e.time)}>${I(e.time,r)} ago</time>
              ${H(e.type===`Warning`?`cross`:`dot`)}
              <b>${e.reason}</b>
              <span class="said">${V(e.message)}${e.count>1?y` <span class="muted">× ${e.count}</span>`:x}</span>
            </li>`)}
        </ol>`}
  </div>`}function Li(e){let{chain:t,isPhone:n}=e,r=t.run?[t.run,...t.history]:[...t.history];return r.length===0?Ni(`This chain has not run yet.`):y`<div class="scroll">
    <table class="runs">
      <thead>
        <tr>
          <th>Run</th>
          <th>Phase</th>
          <th>Progress</th>
          ${n?y`<th class="c-took">Took</th>`:y`<th>Changes</th>
                <th class="c-cause">Cause</th>
                <th class="c-operation">Operation</th>
                <th>Started</th>
                <th class="c-took">Took</th>
                <th>Compared with the previous run</th>
                <th class="c-why">What happened</th>
                <th><span class="unseen">Link</span></th>`}
        </tr>
      </thead>
      <tbody>
        ${yt(r,e=>e.number,(t,n)=>Bi(t,r[n+1],e))}
      </tbody>
    </table>
  </div>`}var Ri=11,zi=4;function Bi(e,t,{route:n,now:r,isPhone:i,go:a}){let o=n.run===String(e.number),s=F(P(e.startTime,e.completionTime,r)),c=e.startTime?`${I(e.startTime,r)} ago`:``,l=pi(e,t),u=z(e.message)||e.reason,d=t=>{_i(t)||a({run:o?``:String(e.number)})},f=o?`picked`:``,p=i?zi:Ri;return y`<tr class="${f} ${i||o?`has-more`:``}" @click=${d} ${wi(o)}>
      <td><button class="row" aria-expanded=${o} aria-label="Run ${e.number}">${e.number}</button></td>
      <td>${Pt(e.phase)}</td>
      <td>${e.progress}</td>
      ${i?y`<td class="c-took">${s}</td>`:y`<td>${e.changes}</td>
            <td class="c-cause">${e.cause}</td>
            <td class="c-operation">${e.operation}</td>
            <td title=${kt(e.startTime)}>${c}</td>
            <td class="c-took">${s}</td>
            <td class="c-other">${Vi(l)}</td>
            <td class="c-why"><span class="cut">${o?``:V(u)}</span></td>
            <td>${e.workflowUrl?y`<a class="button icon plain" href=${e.workflowUrl} target="_blank" rel="noopener noreferrer"
                  aria-label="Open run ${e.number} in Temporal" @click=${e=>e.stopPropagation()}>${U(`out`)}</a>`:x}</td>`}
    </tr>
    ${i?y`<tr class="more ${f} ${o?`has-more`:``}" @click=${d}>
          <td colspan=${p}>
            <span class="muted">${Vi([e.cause,c,e.changes,...l].filter(Boolean),` · `)}</span>
            ${u&&!o?y`<span class="happened">${V(u)}</span>`:x}
          </td>
        </tr>`:x}
    ${o?y`<tr class="more picked"><td colspan=${p}>${Hi(e,l,s)}</td></tr>`:x}`}function Vi(e,t=`, `){return e.map((n,r)=>y`<span class="unbroken">${n}</span>${r<e.length-1?t:``}`)}function Hi(e,t,n){let r=mi(e),i=[[`Reason`,e.reason],[`Cause`,e.cause],[`Operation`,e.operation],[`Started`,R(e.startTime)],[`Ended`,R(e.completionTime)],[e.completionTime?`Took`:`Elapsed`,e.startTime?n:``],[`Changes`,e.changes],[`Compared with the previous run`,t.join(`, `)],[`Stacks`,r.length>0?y`<span class="counts">${r.map(({phase:e,count:t})=>{let n=N(e);return y`<span class="phase ${n.tone}">${H(n.glyph)}${t.toLocaleString(`en-US`)} ${n.word}</span>`})}</span>`:e.progress],[`Workflow`,e.workflowUrl?y`<a class="out" href=${e.workflowUrl} target="_blank" rel="noopener noreferrer">Open in Temporal ${U(`out`)}</a>`:``]];return y`<div class="details" role="region" aria-label="Run ${e.number}">
    ${e.message?y`<p>${V(z(e.message))}</p>`:x}
    <dl>
      ${i.filter(([,e])=>e!==``).map(([e,t])=>y`<div><dt>${e}</dt><dd>${t}</dd></div>`)}
    </dl>
  </div>`}var Ui=o`
  .scroll {
    flex: 1;
    min-width: 0;
    overflow: auto;
    background: var(--surface);
  }
  .none {
    flex: 1;
    margin: 0;
    padding: 64px 24px;
    text-align: center;
    color: var(--muted);
    background: var(--surface);
  }
  table {
    width: 100%;
    border-collapse: separate;
    border-spacing: 0;
  }
  th {
    position: sticky;
    top: 0;
    z-index: 1;
    padding: 8px 12px;
    background: var(--surface);
    border-bottom: 1px solid var(--line);
    text-align: left;
    font-size: 12px;
    font-weight: 550;
    color: var(--muted);
    white-space: nowrap;
  }
  th button {
    padding: 0;
    border: 0;
    background: none;
    font: inherit;
    color: inherit;
    cursor: pointer;
  }
  th[aria-sort="ascending"],
  th[aria-sort="descending"] {
    color: var(--text);
  }
  td {
    padding: 4px 12px;
    border-bottom: 1px solid var(--line);
    white-space: nowrap;
    height: 38px;
  }
  td .phase {
    vertical-align: middle;
  }
  td .button.icon {
    width: 26px;
    height: 26px;
    vertical-align: middle;
  }
  th:first-child,
  td:first-child {
    padding-left: 24px;
  }
  tbody tr {
    cursor: pointer;
  }
  tbody tr:hover {
    background: var(--hover);
  }
  tbody tr.picked {
    background: var(--accent-soft);
  }
  tbody tr,
  .lane {
    /* Below what sticks to the top. */
    scroll-margin-top: 44px;
  }
  .lane {
    scroll-margin-top: 96px;
  }
  .row {
    display: flex;
    align-items: center;
    min-height: 28px;
    max-width: 34ch;
    padding: 0;
    user-select: text;
    border: 0;
    background: none;
    font: inherit;
    font-weight: 580;
    cursor: pointer;
    text-align: left;
  }
  .c-why {
    width: 99%;
    max-width: 0;
  }
  .cut {
    display: block;
    overflow: hidden;
    text-overflow: ellipsis;
    color: var(--muted);
    unicode-bidi: plaintext;
    text-align: left;
  }
  .c-other {
    min-width: 15ch;
    max-width: 26ch;
    white-space: normal;
    color: var(--muted);
  }
  .unbroken {
    white-space: nowrap;
  }
  .has-more td {
    border-bottom: 0;
  }
  .more td {
    height: auto;
    padding-top: 0;
    padding-bottom: 10px;
    white-space: normal;
    overflow-wrap: anywhere;
  }
  .happened {
    display: block;
    unicode-bidi: plaintext;
    text-align: left;
  }
  .details {
    cursor: auto;
  }
  .details p {
    max-width: 110ch;
    margin: 0 0 10px;
    unicode-bidi: plaintext;
    text-align: left;
  }
  .details dl {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 28px;
    margin: 0;
  }
  .details dt {
    font-size: 11.5px;
    color: var(--muted);
  }
  .details dd {
    margin: 1px 0 0;
  }
  .counts {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 12px;
  }
  .out {
    display: inline-flex;
    align-items: center;
    gap: 4px;
  }
  .c-level,
  .c-took {
    text-align: right;
  }
  .gantt {
    padding: 0 24px 24px;
  }
  .axis,
  .lane {
    display: grid;
    grid-template-columns: minmax(120px, 250px) minmax(0, 1fr);
    gap: 16px;
    align-items: center;
    width: 100%;
  }
  .axis {
    position: sticky;
    top: 0;
    z-index: 2;
    gap: 6px 16px;
    padding-top: 8px;
    background: var(--surface);
    border-bottom: 1px solid var(--line);
    font-size: 11.5px;
    color: var(--muted);
  }
  .track {
    position: relative;
    height: 100%;
    /* Room for how long a bar took that ends last, and which attempt it was. */
    margin-right: 124px;
  }
  .axis .track {
    height: 36px;
  }
  .tick {
    position: absolute;
    top: 1px;
    transform: translateX(-50%);
    line-height: 1.35;
    text-align: center;
    white-space: nowrap;
  }
  .clock {
    font-size: 10.5px;
  }
  .tick:first-child {
    transform: none;
    text-align: left;
  }
  .lane {
    position: relative;
    height: 30px;
    padding: 0;
    border: 0;
    background: none;
    text-align: left;
    cursor: pointer;
  }
  .lane:hover {
    background: var(--hover);
  }
  .lane.picked {
    background: var(--accent-soft);
  }
  .who {
    display: flex;
    align-items: center;
    gap: 8px;
    min-width: 0;
    font-weight: 550;
  }
  .grid {
    position: absolute;
    top: 0;
    bottom: 0;
    width: 1px;
    background: var(--line);
  }
  .bar {
    position: absolute;
    top: 8px;
    height: 14px;
    border-radius: 4px;
    background: var(--tone-soft);
    border: 1px solid var(--tone);
  }
  .bar.critical {
    background: var(--tone);
    outline: 2px solid var(--text);
    outline-offset: 1px;
  }
  .wait {
    position: absolute;
    top: 14px;
    height: 0;
    border-top: 2px dotted var(--muted);
  }
  .took {
    position: absolute;
    top: 6px;
    padding: 0 8px;
    font-size: 11.5px;
    color: var(--muted);
    white-space: nowrap;
  }
  .attempt {
    color: var(--text);
    font-weight: 600;
  }
  .key {
    grid-column: 1 / -1;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 18px;
    font-size: 12px;
  }
  .sample {
    position: static;
    display: inline-block;
    width: 28px;
    margin-right: 8px;
    vertical-align: middle;
    --tone: var(--good);
  }
  .bar.sample {
    height: 10px;
  }
  .events {
    margin: 0;
    padding: 4px 0;
    list-style: none;
  }
  .events li {
    display: grid;
    grid-template-columns: 76px 20px 176px minmax(0, 1fr);
    gap: 12px;
    align-items: baseline;
    padding: 7px 24px;
    border-bottom: 1px solid var(--line);
  }
  .events .glyph {
    align-self: start;
  }
  .events b {
    font-weight: 580;
  }
  .events .bad b {
    color: var(--bad);
  }
  .events time {
    color: var(--muted);
    text-align: right;
  }
  .said {
    overflow-wrap: anywhere;
    unicode-bidi: plaintext;
    text-align: left;
  }
  .stacks {
    container-type: inline-size;
  }
  /* The drawer takes the room of what says why. */
  @container (max-width: 1010px) {
    .with-drawer .c-level,
    .with-drawer .c-changes,
    .with-drawer .c-started {
      display: none;
    }
  }
  @media (max-width: 1100px) {
    .c-level,
    .c-started,
    .c-cause,
    .c-operation {
      display: none;
    }
  }
  @media (max-width: 700px) {
    th:first-child,
    td:first-child {
      padding-left: 14px;
    }
    .c-why,
    .c-changes,
    .c-link {
      display: none;
    }
    .track {
      margin-right: 76px;
    }
    .axis .track {
      height: 20px;
    }
    tbody tr,
    .lane {
      /* The page scrolls, below its top. */
      scroll-margin-top: 150px;
    }
    td,
    th {
      padding: 6px 8px;
    }
    .row {
      max-width: 44vw;
    }
    .axis,
    .lane {
      grid-template-columns: 120px minmax(0, 1fr);
    }
    .gantt {
      padding: 0 14px 20px;
    }
    .events li {
      grid-template-columns: 20px minmax(0, 1fr) auto;
      gap: 2px 10px;
      padding: 8px 14px;
    }
    .events time {
      grid-column: 3;
      grid-row: 1;
    }
    .events .glyph {
      grid-row: 1;
    }
    .events .said {
      grid-column: 2 / -1;
    }
  }
`,Wi={graph:`Graph`,table:`Table`,timeline:`Timeline`,events:`Events`,runs:`Runs`},Gi=`(max-width: 700px)`,Ki=5e3,qi=5e3,Ji=8e3,Yi=16,Xi=5e3,Zi=`stackchain-needs-closed`;or();var $=class extends C{constructor(...e){super(...e),this.route=kr(location.search),this.now=Date.now(),this.areAllNeeds=!1,this.areNeedsOpen=!Qi(Zi),this.isGraphWide=!1,this.events=null,this.eventsProblem=``,this.rights=`unknown`,this.note=[],this.isPhone=matchMedia(Gi).matches,this.feed=new Er(()=>this.drawSoon()),this.drawing=0,this.timer=0,this.eventsOf=``,this.eventsAt=0,this.areEventsDue=!1,this.rightsOf=``,this.noteTimer=0,this.cameFrom=null,this.wasKey=!1,this.isGoingBack=!1,this.parsed={of:null,chain:dt(null)},this.goTo=e=>{this.go(e.detail.route,e.detail.isSmall)},this.moved=()=>{this.isGoingBack=!1,this.route=kr(location.search)},this.shown=()=>{document.hidden?this.feed.close():this.feed.resume()},this.resized=()=>{this.isPhone=matchMedia(Gi).matches},this.follow=e=>{let t=e.composedPath().find(e=>e instanceof HTMLAnchorElement&&e.dataset.internal!==void 0);t&&e.button===0&&!e.ctrlKey&&!e.metaKey&&!e.shiftKey&&(e.preventDefault(),this.go(kr(new URL(t.href).search),!1))},this.key=e=>{let t=e.composedPath()[0],n=t instanceof HTMLInputElement||t instanceof HTMLTextAreaElement;e.ctrlKey||e.metaKey||e.altKey||n||this.dialog.isOpen||(this.graph?.takeKey(e)?e.preventDefault():e.key===`/`?(e.preventDefault(),this.graph?this.graph.focusSearch():this.chains?this.chains.focusSearch():this.renderRoot.querySelector(`input[type=search]`)?.focus()):e.key===`Escape`&&(this.route.stack?this.go({...this.route,stack:``},!0):this.isGraphWide&&this.view===`graph`?this.isGraphWide=!1:this.route.chain&&this.go(Or,!1)))},this.byKey=()=>{this.wasKey=!0},this.byPointer=()=>{this.wasKey=!1}}static{this.styles=[Mt,Nt,Jr,ui,Ui,o`
      :host {
        display: flex;
        flex-direction: column;
        height: 100dvh;
        background: var(--canvas);
      }
      .top {
        display: flex;
        align-items: center;
        gap: 10px;
        height: 46px;
        padding: 0 24px;
        border-bottom: 1px solid var(--line);
        background: var(--surface);
      }
      .brand {
        display: flex;
        align-items: center;
        gap: 8px;
        font-weight: 640;
        color: var(--text);
      }
      .brand svg {
        color: var(--accent);
      }
      .crumb {
        display: flex;
        align-items: center;
        gap: 10px;
        min-width: 0;
        color: var(--muted);
      }
      .crumb .namespace {
        min-width: 3ch;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .crumb b {
        min-width: 6ch;
        color: var(--text);
        font-weight: 600;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .space {
        flex: 1;
      }
      .context {
        max-width: 30ch;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-size: 12px;
        color: var(--muted);
      }
      .live {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        font-size: 12px;
        color: var(--muted);
        white-space: nowrap;
      }
      .live::before {
        content: "";
        width: 8px;
        height: 8px;
        border-radius: 50%;
        background: var(--tone);
      }
      .notice {
        display: flex;
        gap: 12px;
        align-items: center;
        padding: 8px 24px;
        border-bottom: 1px solid var(--line);
        background: var(--attention-soft);
        color: var(--text);
        overflow-wrap: anywhere;
      }
      .note {
        position: fixed;
        z-index: 8;
        left: 50%;
        bottom: 20px;
        translate: -50% 0;
        width: max-content;
        max-width: min(640px, calc(100vw - 24px));
        padding: 10px 16px;
        border-radius: var(--radius);
        background: var(--text);
        color: var(--canvas);
        box-shadow: var(--shadow-high);
        overflow-wrap: anywhere;
      }
      .note p {
        margin: 0;
      }
      .note:empty {
        display: none;
      }
      .chain {
        flex: 1;
        min-height: 0;
        display: flex;
        flex-direction: column;
      }
      .info {
        flex: none;
        background: var(--surface);
      }
      nav {
        display: flex;
        flex: none;
        gap: 4px;
        padding: 0 14px;
        border-bottom: 1px solid var(--line);
        background: var(--surface);
        align-items: center;
        min-height: 40px;
      }
      nav a {
        padding: 10px 10px 8px;
        border-bottom: 2px solid transparent;
        color: var(--muted);
        font-weight: 550;
      }
      nav a:hover {
        color: var(--text);
        text-decoration: none;
      }
      nav a[aria-current="page"] {
        border-color: var(--accent);
        color: var(--text);
      }
      nav .field {
        width: 210px;
        margin-right: 10px;
      }
      .view {
        flex: 1;
        display: flex;
        min-height: 0;
      }
      .shown {
        flex: 1;
        display: flex;
        min-width: 0;
        min-height: 0;
      }
      .shown > * {
        flex: 1;
        min-width: 0;
      }
      stackchain-drawer,
      .no-stack {
        flex: none;
        width: 390px;
        border-left: 1px solid var(--line);
        background: var(--surface);
      }
      .no-stack {
        display: flex;
        align-items: flex-start;
        gap: 8px;
        padding: 16px 12px 12px 20px;
        overflow-wrap: anywhere;
      }
      .no-stack p {
        flex: 1;
        min-width: 0;
        margin: 5px 0;
      }
      chain-list {
        flex: 1;
        min-height: 0;
      }
      .middle {
        flex: 1;
        display: grid;
        place-content: center;
        justify-items: center;
        gap: 10px;
        padding: 24px;
        text-align: center;
        color: var(--muted);
      }
      .middle h1 {
        color: var(--text);
      }
      .middle code {
        font-family: var(--mono);
        color: var(--text);
      }
      .skip {
        position: absolute;
        left: 12px;
        top: -60px;
        z-index: 9;
      }
      .skip:focus {
        top: 8px;
      }
      @media (max-width: 800px) {
        stackchain-drawer,
        .no-stack {
          position: absolute;
          z-index: 5;
          top: 46px;
          right: 0;
          bottom: 0;
          width: min(400px, 100%);
          box-shadow: var(--shadow-high);
        }
      }
      @media (max-width: 700px) {
        :host {
          height: auto;
          min-height: 100dvh;
        }
        .top {
          padding: 0 14px;
          position: sticky;
          top: 0;
          z-index: 4;
        }
        .brand .name {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
        nav {
          padding: 0 6px;
          flex-wrap: wrap;
        }
        nav .space {
          display: none;
        }
        nav .field {
          width: 100%;
          margin: 0 8px 8px;
        }
        .view {
          min-height: auto;
        }
        stackchain-drawer,
        .no-stack {
          position: fixed;
          top: 46px;
          width: 100%;
          border: 0;
        }
        .context {
          display: none;
        }
        .live.good {
          font-size: 0;
        }
      }
      @media (min-width: 701px) {
        .view {
          min-height: 300px;
        }
        .chain {
          overflow-y: auto;
        }
        .wide .info > :not(.headline),
        .wide .facts {
          display: none;
        }
      }
    `]}connectedCallback(){super.connectedCallback(),this.timer=window.setInterval(()=>this.now=Date.now(),1e3),window.addEventListener(`popstate`,this.moved),window.addEventListener(`keydown`,this.key),window.addEventListener(`keydown`,this.byKey,{capture:!0}),window.addEventListener(`pointerdown`,this.byPointer,{capture:!0}),matchMedia(Gi).addEventListener(`change`,this.resized),document.addEventListener(`visibilitychange`,this.shown),this.addEventListener(`click`,this.follow),this.addEventListener(`go`,this.goTo)}disconnectedCallback(){super.disconnectedCallback(),window.clearInterval(this.timer),window.removeEventListener(`popstate`,this.moved),window.removeEventListener(`keydown`,this.key),window.removeEventListener(`keydown`,this.byKey,{capture:!0}),window.removeEventListener(`pointerdown`,this.byPointer,{capture:!0}),matchMedia(Gi).removeEventListener(`change`,this.resized),document.removeEventListener(`visibilitychange`,this.shown),this.feed.close()}willUpdate(e){if(e.has(`route`)){let t=e.get(`route`);(t?.chain!==this.route.chain||t.namespace!==this.route.namespace)&&(this.areAllNeeds=!1),this.feed.follow(this.route.namespace,this.route.chain)}let t=this.feed.detail&&Z[this.feed.detail.state]?.word,{chain:n}=this.route;document.title=n?`${t?`${t}: `:``}${z(n)} · StackChain`:`StackChain`,this.parsed.of!==this.feed.detail&&(this.parsed={of:this.feed.detail,chain:dt(this.feed.detail?.resource)}),this.refreshEvents(),this.refreshRights()}updated(e){let t=e.get(`route`);t&&t.stack!==this.route.stack&&t.chain===this.route.chain&&this.moveFocus(t.stack)}async moveFocus(e){let t=this.shadowRoot?.activeElement,n=t?.localName===`stackchain-drawer`||!t;if(!this.route.stack)e&&n&&this.cameFrom?.isConnected&&this.cameFrom.focus(),this.cameFrom=null;else if(this.isPhone||this.wasKey&&t?.localName!==`stackchain-graph`&&!n){t&&!n&&(this.cameFrom=t);let e=this.renderRoot.querySelector(`stackchain-drawer`);await e?.updateComplete,e?.focusTitle()}}get view(){return this.isPhone&&this.route.view===`graph`?`table`:this.route.view}render(){let{route:e,feed:t}=this;return y`<header class="top">
        <button class="button skip" @click=${this.skip}>Skip to the content</button>
        <a class="brand" href="?" data-internal title="All chains">
          <svg width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentcolor" stroke-width="1.8" aria-hidden="true">
            <rect x="2" y="7.5" width="5" height="5" rx="1.5"></rect>
            <rect x="13" y="2.5" width="5" height="5" rx="1.5"></rect>
            <rect x="13" y="12.5" width="5" height="5" rx="1.5"></rect>
            <path d="M7 10h2.5M13 5h-1.5a2 2 0 0 0-2 2v6a2 2 0 0 0 2 2H13"></path>
          </svg>
          <span class="name">StackChain</span>
        </a>
        ${e.chain?y`<span class="crumb"><span aria-hidden="true">/</span><a href=${Ar({...Or,namespace:e.namespace})} class="namespace" data-internal title="Chains of this namespace">${e.namespace}</a><span aria-hidden="true">/</span><b title=${e.chain}>${e.chain}</b></span>`:y`<span class="crumb">${t.hello?.scope??``}</span>`}
        <span class="space"></span>
        ${t.hello?.context?y`<span class="context" title="Context of the kubeconfig: ${t.hello.context}">${t.hello.context}</span>`:x}
        ${this.renderLive()}
      </header>
      ${this.renderNotice()}
      ${t.link===`refused`?this.renderRefused():e.chain?this.renderChain():this.renderList()}
      <action-dialog @asked=${e=>this.say(e.detail.messages)}></action-dialog>
      <div class="note" role="status">${this.note.map(e=>y`<p>${V(e)}</p>`)}</div>`}renderLive(){let{link:e,problem:t,hello:n}=this.feed,[r,i]=e===`live`&&!t?[`good`,`Live`]:e===`connecting`?[`faint`,`Connecting`]:e===`lost`?[`attention`,`Reconnecting`]:[`attention`,`Not up to date`];return y`<span class="live ${r}" role="status" title=${n?.context??``}>${i}</span>`}get isAway(){return this.feed.link===`lost`&&this.feed.isUnanswered&&this.now-this.feed.lostAt>Xi}renderNotice(){let{feed:e}=this;return this.isAway?y`<div class="notice" role="alert">The server of this page does not answer.${e.heardAt?` What you see is from ${R(new Date(e.heardAt).toISOString())}.`:``}${V(e.hello?.context===``?``:" If you have stopped `kubectl stackchain ui`, start it again and open its new address.")} The page keeps trying.</div>`:e.problem&&e.link!==`refused`?y`<div class="notice" role="alert">${V(e.problem)}</div>`:x}renderRefused(){return y`<main class="middle" id="main">
      <h1>Nothing can be shown</h1>
      <p>${V(this.feed.refusal)}</p>
    </main>`}renderList(){let{feed:e}=this;return y`<chain-list
      id="main"
      role="main"
      tabindex="-1"
      .rows=${[...e.rows.values()]}
      .route=${this.route}
      .isLoaded=${e.hasRows}
      .scope=${e.hello?.scope??``}
      .now=${this.now}
    ></chain-list>`}renderChain(){let{feed:e,route:t,now:n}=this,r=e.detail;if(e.isMissing||r===null)return y`<main class="middle" id="main">
        ${e.isMissing?y`<h1>There is no chain ${t.chain} in ${t.namespace}</h1>
              <p>It was deleted, or you may not see it.</p>
              <a class="button" href="?" data-internal>All chains</a>`:y`<p>Reading the chain…</p>`}
      </main>`;let i=this.parsed.chain,a=e=>{let n={...t,...e};this.go(n,n.view===t.view)},o={chain:i,detail:r,route:t,now:n,go:a,rights:this.isAway?`away`:this.rights,ask:e=>void this.dialog.open({namespace:t.namespace,name:t.chain,...e}),areAllNeeds:this.areAllNeeds,areNeedsOpen:this.areNeedsOpen,showAllNeeds:e=>this.areAllNeeds=e,openNeeds:e=>{this.areNeedsOpen=e,$i(Zi,!e)}},s=r.state===`unreadable`&&i.stacks.length===0,c=this.isPhone&&t.stack!==``,l=i.stacks.find(e=>e.id===t.stack);return s?y`<main class="chain" id="main" tabindex="-1"><div class="info">${$r(o)}</div></main>`:y`<main class="chain ${this.isGraphWide&&this.view===`graph`?`wide`:``}" id="main" tabindex="-1">
      <div class="info" ?inert=${c}>${$r(o)} ${ni(o)} ${ri(o)} ${ai(o)}</div>
      ${this.renderTabs(c)}
      <div class="view">
        <div class="shown" ?inert=${c}>${ut(this.renderView({chain:i,route:t,now:n,isPhone:this.isPhone,meanings:r.meanings,go:a},r))}</div>
        ${!l&&t.stack&&i.stacks.length>0?y`<aside class="no-stack">
              <p>There is no stack <b>${z(t.stack)}</b> in run ${i.run?.number}.</p>
              <button class="button icon plain" aria-label="Close" @click=${()=>a({stack:``})}>${U(`close`)}</button>
            </aside>`:x}
        ${l?y`<stackchain-drawer
              .stack=${l}
              .isWhole=${c}
              .stacks=${i.stacks}
              .advice=${j(r.advice,l.id)??null}
              .meaning=${j(r.meanings,l.reason)??null}
              .mayAsk=${o.rights===`change`}
              .workflowUrl=${i.run?.workflowUrl??``}
              .chainLink=${Pr(j(r.advice,l.id)?.chain??``)}
              .actions=${o.rights===`change`?j(r.advice,l.id)?.actions??[]:[]}
              .now=${n}
              @stack-action=${({detail:{action:e,id:t}})=>o.ask({action:e,stacks:[t]})}
              @stack-select=${e=>a({stack:e.detail.id})}
            ></stackchain-drawer>`:x}
      </div>
    </main>`}renderTabs(e){let{route:t,view:n}=this;return y`<nav aria-label="Views" ?inert=${e}>
      ${Dr.filter(e=>e!==`graph`||!this.isPhone).map(e=>y`<a href=${Ar(jr(t,e))} data-internal aria-current=${n===e?`page`:`false`}>${Wi[e]}</a>`)}
      <span class="space"></span>
      ${n===`graph`||n===`runs`?x:y`<input class="field" type="search" placeholder="Filter" aria-label="Filter" aria-keyshortcuts="/"
            .value=${t.query}
            @input=${e=>this.go({...t,query:e.target.value},!0)} />`}
    </nav>`}renderView(e,t){switch(this.view){case`graph`:return y`<stackchain-graph
          drawer="none"
          .chain=${t.resource}
          .selected=${this.route.stack}
          .only=${this.route.only}
          .hasMoreRoom=${this.isGraphWide}
          @room-toggle=${()=>this.isGraphWide=!this.isGraphWide}
          .query=${this.route.query}
          @stack-select=${t=>e.go({stack:t.detail.id})}
          @query-change=${t=>e.go({query:t.detail.query})}
        ></stackchain-graph>`;case`table`:return Ai(e);case`timeline`:return Fi(e);case`events`:return Ii(this.events,this.eventsProblem,e);case`runs`:return Li(e)}}refreshEvents(){let{namespace:e,chain:t,view:n}=this.route,r=`${e}/${t}/${A(O(this.feed.detail?.resource.metadata).resourceVersion)}`;if(n!==`events`||!this.feed.detail)return;let i=r!==this.eventsOf;if(!this.eventsOf.startsWith(`${e}/${t}/`))this.events=null,this.eventsProblem=``;else if(!(i||this.areEventsDue)||Date.now()-this.eventsAt<Ki)return;this.areEventsDue=i,this.eventsOf=r,this.eventsAt=Date.now(),this.readEvents(e,t)}async readEvents(e,t){let{isGood:n,body:r}=await cr(`events`,{namespace:e,name:t});e===this.route.namespace&&t===this.route.chain&&(this.eventsProblem=n?``:A(r.error)||`The events cannot be read right now.`,n&&(this.events=k(r.events).map(e=>{let t=O(e);return{time:A(t.time),type:A(t.type),reason:A(t.reason),message:A(t.message),count:M(t.count,1)}})))}async refreshRights(){let{namespace:e,chain:t}=this.route,n=`${e}/${t}/${this.feed.opened}`;if(!t||!this.feed.detail||n===this.rightsOf)return;this.rightsOf.startsWith(`${e}/${t}/`)||(this.rights=`unknown`),this.rightsOf=n;let r=await cr(`rights`,{namespace:e,name:t});n===this.rightsOf&&(this.rights=r.isGood?r.body.change===!0?`change`:`view`:`unavailable`,r.isGood||window.setTimeout(()=>{this.rightsOf=this.rightsOf===n?`${e}/${t}/`:this.rightsOf,this.requestUpdate()},qi))}drawSoon(){this.drawing||=window.setTimeout(()=>{this.drawing=0,this.requestUpdate()},Yi)}say(e){this.note=e,window.clearTimeout(this.noteTimer),this.noteTimer=window.setTimeout(()=>this.note=[],Ji)}go(e,t){let[n,r]=[Ar(this.route),Ar(e)];if(n===r)return;let i=this.isPhone&&t&&!this.route.stack&&e.stack!==``;t&&this.route.stack!==``&&!e.stack&&this.isPhone&&O(history.state).drawer===!0?this.isGoingBack||(this.isGoingBack=!0,history.back()):(t&&!i?history.replaceState(history.state,``,r):history.pushState({drawer:i},``,r),this.route=e)}skip(){this.renderRoot.querySelector(`#main`)?.focus()}};K([T()],$.prototype,`route`,void 0),K([T()],$.prototype,`now`,void 0),K([T()],$.prototype,`areAllNeeds`,void 0),K([T()],$.prototype,`areNeedsOpen`,void 0),K([T()],$.prototype,`isGraphWide`,void 0),K([T()],$.prototype,`events`,void 0),K([T()],$.prototype,`eventsProblem`,void 0),K([T()],$.prototype,`rights`,void 0),K([T()],$.prototype,`note`,void 0),K([T()],$.prototype,`isPhone`,void 0),K([Ye(`stackchain-graph`)],$.prototype,`graph`,void 0),K([Ye(`action-dialog`)],$.prototype,`dialog`,void 0),K([Ye(`chain-list`)],$.prototype,`chains`,void 0),$=K([Ge(`stackchain-app`)],$);function Qi(e){try{return localStorage.getItem(e)!==null}catch{return!1}}function $i(e,t){try{t?localStorage.setItem(e,`1`):localStorage.removeItem(e)}catch{}}