var e=globalThis,t=e.ShadowRoot&&(e.ShadyCSS===void 0||e.ShadyCSS.nativeShadow)&&`adoptedStyleSheets`in Document.prototype&&`replace`in CSSStyleSheet.prototype,n=Symbol(),r=new WeakMap,i=class{constructor(e,t,r){if(this._$cssResult$=!0,r!==n)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o,n=this.t;if(t&&e===void 0){let t=n!==void 0&&n.length===1;t&&(e=r.get(n)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),t&&r.set(n,e))}return e}toString(){return this.cssText}},a=e=>new i(typeof e==`string`?e:e+``,void 0,n),o=(e,...t)=>new i(e.length===1?e[0]:t.reduce((t,n,r)=>t+(e=>{if(!0===e._$cssResult$)return e.cssText;if(typeof e==`number`)return e;throw Error(`Value passed to 'css' function must be a 'css' function result: `+e+`. Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.`)})(n)+e[r+1],e[0]),e,n),s=(n,r)=>{if(t)n.adoptedStyleSheets=r.map(e=>e instanceof CSSStyleSheet?e:e.styleSheet);else for(let t of r){let r=document.createElement(`style`),i=e.litNonce;i!==void 0&&r.setAttribute(`nonce`,i),r.textContent=t.cssText,n.appendChild(r)}},c=t?e=>e:e=>e instanceof CSSStyleSheet?(e=>{let t=``;for(let n of e.cssRules)t+=n.cssText;return a(t)})(e):e,{is:l,defineProperty:u,getOwnPropertyDescriptor:d,getOwnPropertyNames:f,getOwnPropertySymbols:p,getPrototypeOf:m}=Object,ee=globalThis,te=ee.trustedTypes,ne=te?te.emptyScript:``,re=ee.reactiveElementPolyfillSupport,h=(e,t)=>e,ie={toAttribute(e,t){switch(t){case Boolean:e=e?ne:null;break;case Object:case Array:e=e==null?e:JSON.stringify(e)}return e},fromAttribute(e,t){let n=e;switch(t){case Boolean:n=e!==null;break;case Number:n=e===null?null:Number(e);break;case Object:case Array:try{n=JSON.parse(e)}catch{n=null}}return n}},ae=(e,t)=>!l(e,t),oe={attribute:!0,type:String,converter:ie,reflect:!1,useDefault:!1,hasChanged:ae};Symbol.metadata??=Symbol(`metadata`),ee.litPropertyMetadata??=new WeakMap;var g=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=oe){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){let n=Symbol(),r=this.getPropertyDescriptor(e,n,t);r!==void 0&&u(this.prototype,e,r)}}static getPropertyDescriptor(e,t,n){let{get:r,set:i}=d(this.prototype,e)??{get(){return this[t]},set(e){this[t]=e}};return{get:r,set(t){let a=r?.call(this);i?.call(this,t),this.requestUpdate(e,a,n)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??oe}static _$Ei(){if(this.hasOwnProperty(h(`elementProperties`)))return;let e=m(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(h(`finalized`)))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(h(`properties`))){let e=this.properties,t=[...f(e),...p(e)];for(let n of t)this.createProperty(n,e[n])}let e=this[Symbol.metadata];if(e!==null){let t=litPropertyMetadata.get(e);if(t!==void 0)for(let[e,n]of t)this.elementProperties.set(e,n)}this._$Eh=new Map;for(let[e,t]of this.elementProperties){let n=this._$Eu(e,t);n!==void 0&&this._$Eh.set(n,e)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let t=[];if(Array.isArray(e)){let n=new Set(e.flat(1/0).reverse());for(let e of n)t.unshift(c(e))}else e!==void 0&&t.push(c(e));return t}static _$Eu(e,t){let n=t.attribute;return!1===n?void 0:typeof n==`string`?n:typeof e==`string`?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,t=this.constructor.elementProperties;for(let n of t.keys())this.hasOwnProperty(n)&&(e.set(n,this[n]),delete this[n]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return s(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,n){this._$AK(e,n)}_$ET(e,t){let n=this.constructor.elementProperties.get(e),r=this.constructor._$Eu(e,n);if(r!==void 0&&!0===n.reflect){let i=(n.converter?.toAttribute===void 0?ie:n.converter).toAttribute(t,n.type);this._$Em=e,i==null?this.removeAttribute(r):this.setAttribute(r,i),this._$Em=null}}_$AK(e,t){let n=this.constructor,r=n._$Eh.get(e);if(r!==void 0&&this._$Em!==r){let e=n.getPropertyOptions(r),i=typeof e.converter==`function`?{fromAttribute:e.converter}:e.converter?.fromAttribute===void 0?ie:e.converter;this._$Em=r;let a=i.fromAttribute(t,e.type);this[r]=a??this._$Ej?.get(r)??a,this._$Em=null}}requestUpdate(e,t,n,r=!1,i){if(e!==void 0){let a=this.constructor;if(!1===r&&(i=this[e]),n??=a.getPropertyOptions(e),!((n.hasChanged??ae)(i,t)||n.useDefault&&n.reflect&&i===this._$Ej?.get(e)&&!this.hasAttribute(a._$Eu(e,n))))return;this.C(e,t,n)}!1===this.isUpdatePending&&(this._$ES=this._$EP())}C(e,t,{useDefault:n,reflect:r,wrapped:i},a){n&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,a??t??this[e]),!0!==i||a!==void 0)||(this._$AL.has(e)||(this.hasUpdated||n||(t=void 0),this._$AL.set(e,t)),!0===r&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(e){Promise.reject(e)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[e,t]of this._$Ep)this[e]=t;this._$Ep=void 0}let e=this.constructor.elementProperties;if(e.size>0)for(let[t,n]of e){let{wrapped:e}=n,r=this[t];!0!==e||this._$AL.has(t)||r===void 0||this.C(t,void 0,n,r)}}let e=!1,t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(e=>e.hostUpdate?.()),this.update(t)):this._$EM()}catch(t){throw e=!1,this._$EM(),t}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(e=>e.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(e=>this._$ET(e,this[e])),this._$EM()}updated(e){}firstUpdated(e){}};g.elementStyles=[],g.shadowRootOptions={mode:`open`},g[h(`elementProperties`)]=new Map,g[h(`finalized`)]=new Map,re?.({ReactiveElement:g}),(ee.reactiveElementVersions??=[]).push(`2.1.2`);var se=globalThis,ce=e=>e,le=se.trustedTypes,ue=le?le.createPolicy(`lit-html`,{createHTML:e=>e}):void 0,de=`$lit$`,_=`lit$${Math.random().toFixed(9).slice(2)}$`,fe=`?`+_,pe=`<${fe}>`,v=document,y=()=>v.createComment(``),b=e=>e===null||typeof e!=`object`&&typeof e!=`function`,me=Array.isArray,he=e=>me(e)||typeof e?.[Symbol.iterator]==`function`,ge=`[ 	
\f\r]`,_e=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,ve=/-->/g,ye=/>/g,x=RegExp(`>|${ge}(?:([^\\s"'>=/]+)(${ge}*=${ge}*(?:[^ \t\n\f\r"'\`<>=]|("|')|))|$)`,`g`),be=/'/g,xe=/"/g,Se=/^(?:script|style|textarea|title)$/i,Ce=e=>(t,...n)=>({_$litType$:e,strings:t,values:n}),S=Ce(1),we=Ce(2),C=Symbol.for(`lit-noChange`),w=Symbol.for(`lit-nothing`),Te=new WeakMap,T=v.createTreeWalker(v,129);function Ee(e,t){if(!me(e)||!e.hasOwnProperty(`raw`))throw Error(`invalid template strings array`);return ue===void 0?t:ue.createHTML(t)}var De=(e,t)=>{let n=e.length-1,r=[],i,a=t===2?`<svg>`:t===3?`<math>`:``,o=_e;for(let t=0;t<n;t++){let n=e[t],s,c,l=-1,u=0;for(;u<n.length&&(o.lastIndex=u,c=o.exec(n),c!==null);)u=o.lastIndex,o===_e?c[1]===`!--`?o=ve:c[1]===void 0?c[2]===void 0?c[3]!==void 0&&(o=x):(Se.test(c[2])&&(i=RegExp(`</`+c[2],`g`)),o=x):o=ye:o===x?c[0]===`>`?(o=i??_e,l=-1):c[1]===void 0?l=-2:(l=o.lastIndex-c[2].length,s=c[1],o=c[3]===void 0?x:c[3]===`"`?xe:be):o===xe||o===be?o=x:o===ve||o===ye?o=_e:(o=x,i=void 0);let d=o===x&&e[t+1].startsWith(`/>`)?` `:``;a+=o===_e?n+pe:l>=0?(r.push(s),n.slice(0,l)+de+n.slice(l)+_+d):n+_+(l===-2?t:d)}return[Ee(e,a+(e[n]||`<?>`)+(t===2?`</svg>`:t===3?`</math>`:``)),r]},Oe=class e{constructor({strings:t,_$litType$:n},r){let i;this.parts=[];let a=0,o=0,s=t.length-1,c=this.parts,[l,u]=De(t,n);if(this.el=e.createElement(l,r),T.currentNode=this.el.content,n===2||n===3){let e=this.el.content.firstChild;e.replaceWith(...e.childNodes)}for(;(i=T.nextNode())!==null&&c.length<s;){if(i.nodeType===1){if(i.hasAttributes())for(let e of i.getAttributeNames())if(e.endsWith(de)){let t=u[o++],n=i.getAttribute(e).split(_),r=/([.?@])?(.*)/.exec(t);c.push({type:1,index:a,name:r[2],strings:n,ctor:r[1]===`.`?Me:r[1]===`?`?Ne:r[1]===`@`?Pe:je}),i.removeAttribute(e)}else e.startsWith(_)&&(c.push({type:6,index:a}),i.removeAttribute(e));if(Se.test(i.tagName)){let e=i.textContent.split(_),t=e.length-1;if(t>0){i.textContent=le?le.emptyScript:``;for(let n=0;n<t;n++)i.append(e[n],y()),T.nextNode(),c.push({type:2,index:++a});i.append(e[t],y())}}}else if(i.nodeType===8){if(i.data===fe)c.push({type:2,index:a});else{let e=-1;for(;(e=i.data.indexOf(_,e+1))!==-1;)c.push({type:7,index:a}),e+=_.length-1}}a++}}static createElement(e,t){let n=v.createElement(`template`);return n.innerHTML=e,n}};function E(e,t,n=e,r){if(t===C)return t;let i=r===void 0?n._$Cl:n._$Co?.[r],a=b(t)?void 0:t._$litDirective$;return i?.constructor!==a&&(i?._$AO?.(!1),a===void 0?i=void 0:(i=new a(e),i._$AT(e,n,r)),r===void 0?n._$Cl=i:(n._$Co??=[])[r]=i),i!==void 0&&(t=E(e,i._$AS(e,t.values),i,r)),t}var ke=class{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:t},parts:n}=this._$AD,r=(e?.creationScope??v).importNode(t,!0);T.currentNode=r;let i=T.nextNode(),a=0,o=0,s=n[0];for(;s!==void 0;){if(a===s.index){let t;s.type===2?t=new Ae(i,i.nextSibling,this,e):s.type===1?t=new s.ctor(i,s.name,s.strings,this,e):s.type===6&&(t=new Fe(i,this,e)),this._$AV.push(t),s=n[++o]}a!==s?.index&&(i=T.nextNode(),a++)}return T.currentNode=v,r}p(e){let t=0;for(let n of this._$AV)n!==void 0&&(n.strings===void 0?n._$AI(e[t]):(n._$AI(e,n,t),t+=n.strings.length-2)),t++}},Ae=class e{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,t,n,r){this.type=2,this._$AH=w,this._$AN=void 0,this._$AA=e,this._$AB=t,this._$AM=n,this.options=r,this._$Cv=r?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode,t=this._$AM;return t!==void 0&&e?.nodeType===11&&(e=t.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,t=this){e=E(this,e,t),b(e)?e===w||e==null||e===``?(this._$AH!==w&&this._$AR(),this._$AH=w):e!==this._$AH&&e!==C&&this._(e):e._$litType$===void 0?e.nodeType===void 0?he(e)?this.k(e):this._(e):this.T(e):this.$(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==w&&b(this._$AH)?this._$AA.nextSibling.data=e:this.T(v.createTextNode(e)),this._$AH=e}$(e){let{values:t,_$litType$:n}=e,r=typeof n==`number`?this._$AC(e):(n.el===void 0&&(n.el=Oe.createElement(Ee(n.h,n.h[0]),this.options)),n);if(this._$AH?._$AD===r)this._$AH.p(t);else{let e=new ke(r,this),n=e.u(this.options);e.p(t),this.T(n),this._$AH=e}}_$AC(e){let t=Te.get(e.strings);return t===void 0&&Te.set(e.strings,t=new Oe(e)),t}k(t){me(this._$AH)||(this._$AH=[],this._$AR());let n=this._$AH,r,i=0;for(let a of t)i===n.length?n.push(r=new e(this.O(y()),this.O(y()),this,this.options)):r=n[i],r._$AI(a),i++;i<n.length&&(this._$AR(r&&r._$AB.nextSibling,i),n.length=i)}_$AR(e=this._$AA.nextSibling,t){for(this._$AP?.(!1,!0,t);e!==this._$AB;){let t=ce(e).nextSibling;ce(e).remove(),e=t}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}},je=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,n,r,i){this.type=1,this._$AH=w,this._$AN=void 0,this.element=e,this.name=t,this._$AM=r,this.options=i,n.length>2||n[0]!==``||n[1]!==``?(this._$AH=Array(n.length-1).fill(new String),this.strings=n):this._$AH=w}_$AI(e,t=this,n,r){let i=this.strings,a=!1;if(i===void 0)e=E(this,e,t,0),a=!b(e)||e!==this._$AH&&e!==C,a&&(this._$AH=e);else{let r=e,o,s;for(e=i[0],o=0;o<i.length-1;o++)s=E(this,r[n+o],t,o),s===C&&(s=this._$AH[o]),a||=!b(s)||s!==this._$AH[o],s===w?e=w:e!==w&&(e+=(s??``)+i[o+1]),this._$AH[o]=s}a&&!r&&this.j(e)}j(e){e===w?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??``)}},Me=class extends je{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===w?void 0:e}},Ne=class extends je{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==w)}},Pe=class extends je{constructor(e,t,n,r,i){super(e,t,n,r,i),this.type=5}_$AI(e,t=this){if((e=E(this,e,t,0)??w)===C)return;let n=this._$AH,r=e===w&&n!==w||e.capture!==n.capture||e.once!==n.once||e.passive!==n.passive,i=e!==w&&(n===w||r);r&&this.element.removeEventListener(this.name,this,n),i&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH==`function`?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},Fe=class{constructor(e,t,n){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=n}get _$AU(){return this._$AM._$AU}_$AI(e){E(this,e)}},Ie={M:de,P:_,A:fe,C:1,L:De,R:ke,D:he,V:E,I:Ae,H:je,N:Ne,U:Pe,B:Me,F:Fe},Le=se.litHtmlPolyfillSupport;Le?.(Oe,Ae),(se.litHtmlVersions??=[]).push(`3.3.3`);var Re=(e,t,n)=>{let r=n?.renderBefore??t,i=r._$litPart$;if(i===void 0){let e=n?.renderBefore??null;r._$litPart$=i=new Ae(t.insertBefore(y(),e),e,void 0,n??{})}return i._$AI(e),i},ze=globalThis,D=class extends g{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=Re(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return C}};D._$litElement$=!0,D.finalized=!0,ze.litElementHydrateSupport?.({LitElement:D});var Be=ze.litElementPolyfillSupport;Be?.({LitElement:D}),(ze.litElementVersions??=[]).push(`4.2.2`);var Ve=e=>(t,n)=>{n===void 0?customElements.define(e,t):n.addInitializer(()=>{customElements.define(e,t)})},He={attribute:!0,type:String,converter:ie,reflect:!1,hasChanged:ae},Ue=(e=He,t,n)=>{let{kind:r,metadata:i}=n,a=globalThis.litPropertyMetadata.get(i);if(a===void 0&&globalThis.litPropertyMetadata.set(i,a=new Map),r===`setter`&&((e=Object.create(e)).wrapped=!0),a.set(n.name,e),r===`accessor`){let{name:r}=n;return{set(n){let i=t.get.call(this);t.set.call(this,n),this.requestUpdate(r,i,e,!0,n)},init(t){return t!==void 0&&this.C(r,void 0,e,t),t}}}if(r===`setter`){let{name:r}=n;return function(n){let i=this[r];t.call(this,n),this.requestUpdate(r,i,e,!0,n)}}throw Error(`Unsupported decorator location: `+r)};function O(e){return(t,n)=>typeof n==`object`?Ue(e,t,n):((e,t,n)=>{let r=t.hasOwnProperty(n);return t.constructor.createProperty(n,e),r?Object.getOwnPropertyDescriptor(t,n):void 0})(e,t,n)}function k(e){return O({...e,state:!0,attribute:!1})}var We=(e,t,n)=>(n.configurable=!0,n.enumerable=!0,Reflect.decorate&&typeof t!=`object`&&Object.defineProperty(e,t,n),n);function Ge(e,t){return(n,r,i)=>{let a=t=>t.renderRoot?.querySelector(e)??null;if(t){let{get:e,set:t}=typeof r==`object`?n:i??(()=>{let e=Symbol();return{get(){return this[e]},set(t){this[e]=t}}})();return We(n,r,{get(){let n=e.call(this);return n===void 0&&(n=a(this),(n!==null||this.hasUpdated)&&t.call(this,n)),n}})}return We(n,r,{get(){return a(this)}})}}function Ke(e){let t=A(e),n=A(t.metadata),r=A(t.spec),i=A(t.status),a=Qe(i.latestRun)?Ye(i.latestRun):null,o=j(i.stacks).map(Je).filter(e=>e.id!==``),s=Date.parse(M(A(i.graph).resolvedTime)),c=a!==null&&a.startTime!==``&&s>=Date.parse(a.startTime);return{namespace:M(n.namespace),name:M(n.name),isDeleting:M(n.deletionTimestamp)!==``,isSuspended:r.suspend===!0,parallelism:N(r.parallelism,0),ready:qe(i).find(e=>e.type===`Ready`)??null,run:a,pendingCause:M(A(i.pendingRun).cause),nextTime:M(A(i.schedule).nextTime),history:j(i.history).map(Ye),stacks:c?Ze(o):[],isBeforeStacks:a!==null&&!c}}function qe(e){return j(e.conditions).map(e=>{let t=A(e);return{type:M(t.type),status:M(t.status),reason:M(t.reason),message:M(t.message)}})}function Je(e){let t=A(e),n=M(t.id),r=A(t.delta);return{id:n,name:M(t.name)||n,level:Math.max(0,Math.trunc(N(t.level,0))),phase:M(t.phase)||`Pending`,dependsOn:j(t.dependsOn).filter(e=>typeof e==`string`),reason:M(t.reason),message:M(t.message),blockedBy:M(t.blockedBy),runId:M(t.runId),runState:M(t.runState),runUrl:Xe(t.runUrl),attempts:N(t.attempts,1),startTime:M(t.startTime),completionTime:M(t.completionTime),delta:Qe(t.delta)?{added:N(r.added,0),changed:N(r.changed,0),deleted:N(r.deleted,0)}:null}}function Ye(e){let t=A(e);return{number:N(t.number,0),cause:M(t.cause),operation:M(t.operation)||`Apply`,phase:M(t.phase)||`Pending`,reason:M(t.reason),message:M(t.message),progress:M(t.progress),startTime:M(t.startTime),completionTime:M(t.completionTime),workflowUrl:Xe(t.workflowUrl)}}function Xe(e){if(typeof e!=`string`||!URL.canParse(e))return``;let t=new URL(e);return(t.protocol===`https:`||t.protocol===`http:`)&&t.username===``&&t.password===``?t.href:``}function Ze(e){return[...new Map(e.map(e=>[e.id,e])).values()]}function Qe(e){return typeof e==`object`&&!!e&&!Array.isArray(e)}function A(e){return Qe(e)?e:{}}function j(e){return Array.isArray(e)?e:[]}function M(e){return typeof e==`string`?e:``}function N(e,t){return typeof e==`number`&&Number.isFinite(e)?e:t}var $e={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},et=e=>(...t)=>({_$litDirective$:e,values:t}),tt=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,t,n){this._$Ct=e,this._$AM=t,this._$Ci=n}_$AS(e,t){return this.update(e,t)}update(e,t){return this.render(...t)}},{I:nt}=Ie,rt=e=>e,it=()=>document.createComment(``),at=(e,t,n)=>{let r=e._$AA.parentNode,i=t===void 0?e._$AB:t._$AA;if(n===void 0)n=new nt(r.insertBefore(it(),i),r.insertBefore(it(),i),e,e.options);else{let t=n._$AB.nextSibling,a=n._$AM,o=a!==e;if(o){let t;n._$AQ?.(e),n._$AM=e,n._$AP!==void 0&&(t=e._$AU)!==a._$AU&&n._$AP(t)}if(t!==i||o){let e=n._$AA;for(;e!==t;){let t=rt(e).nextSibling;rt(r).insertBefore(e,i),e=t}}}return n},P=(e,t,n=e)=>(e._$AI(t,n),e),ot={},st=(e,t=ot)=>e._$AH=t,ct=e=>e._$AH,lt=e=>{e._$AR(),e._$AA.remove()},ut=(e,t,n)=>{let r=new Map;for(let i=t;i<=n;i++)r.set(e[i],i);return r},dt=et(class extends tt{constructor(e){if(super(e),e.type!==$e.CHILD)throw Error(`repeat() can only be used in text expressions`)}dt(e,t,n){let r;n===void 0?n=t:t!==void 0&&(r=t);let i=[],a=[],o=0;for(let t of e)i[o]=r?r(t,o):o,a[o]=n(t,o),o++;return{values:a,keys:i}}render(e,t,n){return this.dt(e,t,n).values}update(e,[t,n,r]){let i=ct(e),{values:a,keys:o}=this.dt(t,n,r);if(!Array.isArray(i))return this.ut=o,a;let s=this.ut??=[],c=[],l,u,d=0,f=i.length-1,p=0,m=a.length-1;for(;d<=f&&p<=m;)if(i[d]===null)d++;else if(i[f]===null)f--;else if(s[d]===o[p])c[p]=P(i[d],a[p]),d++,p++;else if(s[f]===o[m])c[m]=P(i[f],a[m]),f--,m--;else if(s[d]===o[m])c[m]=P(i[d],a[m]),at(e,c[m+1],i[d]),d++,m--;else if(s[f]===o[p])c[p]=P(i[f],a[p]),at(e,i[d],i[f]),f--,p++;else if(l===void 0&&(l=ut(o,p,m),u=ut(s,d,f)),l.has(s[d])){if(l.has(s[f])){let t=u.get(o[p]),n=t===void 0?null:i[t];if(n===null){let t=at(e,i[d]);P(t,a[p]),c[p]=t}else c[p]=P(n,a[p]),at(e,i[d],n),i[t]=null;p++}else lt(i[f]),f--}else lt(i[d]),d++;for(;p<=m;){let t=at(e,c[m+1]);P(t,a[p]),c[p++]=t}for(;d<=f;){let e=i[d++];e!==null&&lt(e)}return this.ut=o,st(e,c),C}});function F(e,t,n){let r=Date.parse(e),i=t?Date.parse(t):n;return Number.isFinite(r)&&Number.isFinite(i)?Math.max(0,Math.floor((i-r)/1e3)):null}function I(e){if(e===null)return``;let t=e=>String(e).padStart(2,`0`);return e<60?`${e}s`:e<3600?`${Math.floor(e/60)}m${t(e%60)}s`:e<86400?`${Math.floor(e/3600)}h${t(Math.floor(e%3600/60))}m`:`${Math.floor(e/86400)}d${t(Math.floor(e%86400/3600))}h`}function L(e,t){let n=F(e,``,t);if(n===null)return``;let r=[[86400,`d`],[3600,`h`],[60,`m`]].find(([e])=>n>=e);return r?`${Math.floor(n/r[0])}${r[1]}`:`${n}s`}function ft(e){if(e===null)return``;let{added:t,changed:n,deleted:r}=e;return t||n||r?`+${t} ~${n} -${r}`:`no changes`}function R(e,t,n=`${t}s`){return`${e.toLocaleString(`en-US`)} ${e===1?t:n}`}function pt(e){let t=new Date(e);return Number.isNaN(t.getTime())?``:t.toLocaleString(`en-US`,{month:`short`,day:`numeric`,hour:`2-digit`,minute:`2-digit`,second:`2-digit`,hour12:!1})}function z(e){return e.replace(/[\u0000-\u001f\u007f-\u009f\s]+/g,` `).replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,``).trim()}var mt=o`
  :host {
    --bg: #ffffff;
    --canvas: #f6f7f9;
    --surface: #ffffff;
    --raised: #ffffff;
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
      --bg: #0f1217;
      --canvas: #0b0e12;
      --surface: #151920;
      --raised: #1a1f28;
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
`,ht=o`
  button,
  input,
  select {
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
  .muted {
    color: var(--muted);
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
`,gt={Failed:{word:`Failed`,glyph:`cross`,tone:`bad`,rank:0},TimedOut:{word:`Timed out`,glyph:`clock`,tone:`bad`,rank:1},Canceled:{word:`Canceled`,glyph:`stop`,tone:`bad`,rank:2},AwaitingConfirmation:{word:`Awaits confirmation`,glyph:`person`,tone:`attention`,rank:3},Waiting:{word:`Waiting`,glyph:`hourglass`,tone:`attention`,rank:4},Running:{word:`Running`,glyph:`play`,tone:`active`,rank:5},Pending:{word:`Pending`,glyph:`dot`,tone:`faint`,rank:6},Skipped:{word:`Skipped`,glyph:`dash`,tone:`faint`,rank:7},Succeeded:{word:`Succeeded`,glyph:`check`,tone:`good`,rank:8}},_t={cross:`M4.5 4.5l7 7M11.5 4.5l-7 7`,clock:`M8 2.5a5.5 5.5 0 1 1-.01 0M8 5v3.2l2.2 1.6`,stop:`M4.5 4.5h7v7h-7z`,person:`M8 3a2.3 2.3 0 1 1-.01 0M3.8 13c.3-2.6 2-4 4.2-4s3.9 1.4 4.2 4`,hourglass:`M4.5 3h7M4.5 13h7M5.5 3c0 3 5 4 5 10M10.5 3c0 3-5 4-5 10`,play:`M5.5 3.8v8.4l6.5-4.2z`,dot:`M8 7.2a.8.8 0 1 1-.01 0`,dash:`M4.5 8h7`,check:`M3.5 8.5l3 3 6-7`,question:`M6 6a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1V9.5M8 12v.1`};function B(e){return gt[e]??{word:e,glyph:`question`,tone:`attention`,rank:3}}function vt(e){return[`Succeeded`,`Failed`,`Skipped`,`Canceled`,`TimedOut`].includes(e)}Object.keys(gt);function V(e){let t=[...z(e)],[n,r]=[t.slice(0,-9).join(``),t.slice(-9).join(``)];return n?S`<span class="id" title=${z(e)}
    ><span class="unseen">${z(e)}</span><span class="head" aria-hidden="true">${n}</span
    ><span class="tail" aria-hidden="true">${r}</span></span
  >`:S`<span class="id">${r}</span>`}function H(e){return S`<svg class="glyph" viewBox="0 0 16 16" aria-hidden="true">
    ${we`<path d=${_t[e]??``}></path>`}
  </svg>`}function yt(e){let t=B(e);return S`<span class="phase ${t.tone}">${H(t.glyph)}${t.word}</span>`}var bt={plus:`M8 3v10M3 8h10`,minus:`M3 8h10`,fit:`M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3`,close:`M4 4l8 8M12 4l-8 8`,export:`M8 2.5v7M5.2 6.8L8 9.6l2.8-2.8M3 10.5V13h10v-2.5`,out:`M6.5 3.5H3.5v9h9v-3M9 3h4v4M13 3L7.5 8.5`,back:`M9.5 3.5L5 8l4.5 4.5`,right:`M6.5 3.5L11 8l-4.5 4.5`,search:`M7 3a4 4 0 1 1-.01 0M10 10l3.5 3.5`,fold:`M8 2v4M5.8 4.2L8 6.4l2.2-2.2M8 14v-4M5.8 11.8L8 9.6l2.2 2.2M3 8h10`};function U(e){return S`<svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" fill="none"
    stroke="currentcolor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
    ${we`<path d=${bt[e]??``}></path>`}
  </svg>`}var W=et(class extends tt{constructor(e){if(super(e),e.type!==$e.ELEMENT)throw Error(`styles() is for elements`)}render(e){return C}update(e,[t]){let{style:n}=e.element;for(let[e,r]of Object.entries(t))n.getPropertyValue(e)!==r&&n.setProperty(e,r);return C}}),xt=2;function St(e,t){return`group:${e}:${t}`}function Ct(e){switch(e.phase){case`Succeeded`:return`finished`;case`Pending`:return`pending`;case`Skipped`:return e.reason===`OutputUnchanged`?`finished`:`skipped`;default:return null}}function wt(e,t){let n=t.isFolded?Tt(e,t):new Map,r=new Map;for(let t of e)r.set(t.id,t.id);for(let[e,t]of n)t.forEach(t=>r.set(t.id,e));let i=new Map;for(let t of e){let e=r.get(t.id)??t.id,n=i.get(e)??{stacks:[],upstreams:new Set};i.set(e,n),n.stacks.push(t);for(let i of t.dependsOn){let t=r.get(i);t!==void 0&&t!==e&&n.upstreams.add(t)}}return[...i].map(([e,t])=>({key:e,level:t.stacks[0]?.level??0,upstreams:[...t.upstreams].sort(),stacks:t.stacks,kind:n.has(e)&&t.stacks[0]?Ct(t.stacks[0]):null}))}function Tt(e,t){let n=new Map;for(let r of e){let e=Ct(r);if(e===null||t.shown.has(r.id))continue;let i=St(r.level,e);t.opened.has(i)||n.set(i,[...n.get(i)??[],r])}for(let[e,t]of n)t.length<xt&&n.delete(e);return n}function Et(e,t){let n=new Map(e.map(e=>[e.id,e.dependsOn])),r=new Map;for(let t of e)for(let e of t.dependsOn){let n=r.get(e);n?n.push(t.id):r.set(e,[t.id])}return{upstream:Dt(t,n),downstream:Dt(t,r)}}function Dt(e,t){let n=new Set,r=[e];for(let i=r.pop();i!==void 0;i=r.pop())for(let a of t.get(i)??[])a!==e&&!n.has(a)&&(n.add(a),r.push(a));return n}var Ot=8,kt=10;function At(e){for(let t of e)t.sort((e,t)=>G(e.key,t.key)),Ft(t);let t=It(e),n=Pt(e);for(let r=0;r<Ot&&n>0;r+=1){let i=r%2==0;for(let t of i?e:[...e].reverse())Nt(t,i);let a=Pt(e);a<n&&([t,n]=[It(e),a])}t.forEach((t,n)=>{e[n]=t,Ft(t)}),jt(e)}function jt(e){for(let t of e){let e=0;for(let n of t)n.y=e+n.height/2,e+=n.height}for(let t=0;t<kt;t+=1){let n=t%2==0;for(let t of n?e:[...e].reverse())Mt(t,n?e=>e.ups:e=>e.downs)}for(let t of e)Mt(t,e=>[...e.ups,...e.downs])}function Mt(e,t){let n=0,r=e.map((t,r)=>{let i=e[r-1];return n+=i?(i.height+t.height)/2:0,n}),i=[];e.forEach((e,n)=>{let a=t(e),o=a.length>0?1:.05,s={sum:((a.length>0?Lt(a.map(e=>e.y)):e.y)-(r[n]??0))*o,weight:o,count:1};for(let e=i.at(-1);e&&e.sum/e.weight>s.sum/s.weight;)i.pop(),s={sum:e.sum+s.sum,weight:e.weight+s.weight,count:e.count+s.count},e=i.at(-1);i.push(s)});let a=0;for(let t of i)for(let n=a+t.count;a<n;a+=1){let n=e[a];n&&(n.y=t.sum/t.weight+(r[a]??0))}}function Nt(e,t){let n=new Map(e.map(e=>{let n=t?e.ups:e.downs;return[e,n.length>0?Lt(n.map(e=>e.order)):e.order]}));e.sort((e,t)=>(n.get(e)??0)-(n.get(t)??0)||e.order-t.order||G(e.key,t.key)),Ft(e)}function Pt(e){let t=0;for(let n of e.slice(1)){let e=n.flatMap(e=>e.ups.map(e=>e.order).sort((e,t)=>e-t)),r=Array(Math.max(0,...e)+2).fill(0);e.forEach((e,n)=>{let i=0;for(let t=e+1;t>0;t-=t&-t)i+=r[t]??0;t+=n-i;for(let t=e+1;t<r.length;t+=t&-t)r[t]=(r[t]??0)+1})}return t}function Ft(e){e.forEach((e,t)=>{e.order=t})}function It(e){return e.map(e=>[...e])}function Lt(e){return e.reduce((e,t)=>e+t,0)/e.length}function G(e,t){return e<t?-1:+(e>t)}var Rt=.3;function zt(e,t,n=null){let r=Bt(e),i=n!==null&&Vt(n,r,t)?n:null,a=wt(e,{...t,shown:i?Ht(i):new Set}),o=Ut(a),s=i?Jt(a,o,i):null,c=s?{boxes:s,bends:new Map}:Wt(a,o),l=Xt(a,c.boxes,c.bends);return{boxes:c.boxes,edges:i&&s?en(l,i):l,width:Math.max(0,...c.boxes.map(e=>e.x+240)),height:Math.max(0,...c.boxes.map(e=>e.y+46)),structure:r,folding:t}}function Bt(e){return e.map(e=>`${e.id}\t${e.level}\t${[...e.dependsOn].sort().join(`	`)}`).sort().join(`
`)}function Vt(e,t,n){let{isFolded:r,opened:i}=e.folding;return e.structure===t&&r===n.isFolded&&i.size===n.opened.size&&[...i].every(e=>n.opened.has(e))}function Ht(e){return new Set(e.boxes.filter(e=>e.item.kind===null).map(e=>e.key))}function Ut(e){let t=[...new Set(e.map(e=>e.level))].sort((e,t)=>e-t);return new Map(t.map((e,t)=>[e,t]))}function Wt(e,t){let n=new Map,r=[...t].map(()=>[]),i=(e,t,i)=>{let a={key:e,column:t,height:i,ups:[],downs:[],order:0,y:0};return n.set(e,a),r[t]?.push(a),a};for(let n of e)i(n.key,t.get(n.level)??0,1);for(let t of e)for(let e of t.upstreams)Kt(n,i,e,t.key);At(r);let a=Math.min(...r.flat().map(e=>e.y-e.height/2),1/0),o=e=>Math.round((e-a)*60);return{boxes:e.map(e=>{let r=t.get(e.level)??0,i=o((n.get(e.key)?.y??0)-.5);return{key:e.key,item:e,column:r,x:r*316,y:i}}),bends:new Map([...n.values()].filter(e=>e.height<1).map(e=>[e.key,o(e.y)-7]))}}function Gt(e,t){return`bend:${t}:${e}`}function Kt(e,t,n,r){let[i,a]=[e.get(n),e.get(r)];if(!i||!a||i.column>=a.column)return;let o=i;for(let r=i.column+1;r<a.column;r+=1){let i=Gt(n,r),a=e.get(i),s=a??t(i,r,Rt);a||qt(o,s),o=s}qt(o,a)}function qt(e,t){e.downs.push(t),t.ups.push(e)}function Jt(e,t,n){let r=new Map(n.boxes.map(e=>[e.key,e])),i=new Map;for(let n of e){let e=r.get(n.key);if(e){if(e.column!==t.get(n.level))return null;i.set(n.key,{...e,item:n})}}for(let n of e)if(!i.has(n.key)){let e=t.get(n.level)??0,r=n.upstreams.map(e=>i.get(e)?.y).filter(e=>e!==void 0),a=r.length>0?r.reduce((e,t)=>e+t,0)/r.length:0,o=[...i.values()].filter(t=>t.column===e);i.set(n.key,{key:n.key,item:n,column:e,x:e*316,y:Yt(a,o.map(e=>e.y))})}return e.map(e=>i.get(e.key)).filter(e=>e!==void 0)}function Yt(e,t){return[Math.max(0,e),...t.flatMap(e=>[e+60,e-60])].filter(e=>e>=0&&t.every(t=>Math.abs(t-e)>=60)).map(e=>Math.round(e)).sort((t,n)=>Math.abs(t-e)-Math.abs(n-e)||n-t)[0]??0}function Xt(e,t,n){let r=new Map(t.map(e=>[e.key,e]));return e.flatMap(e=>e.upstreams.flatMap(t=>{let[i,a]=[r.get(t),r.get(e.key)];if(!i||!a)return[];let o=Zt(i,a,n);return[{key:`${t}\t${e.key}`,from:t,to:e.key,path:o}]}))}function Zt(e,t,n){let[r,i]=[e.x+240,e.y+23],a=[`M${r} ${i}`];for(let o=e.column+1;o<t.column;o+=1){let t=n.get(Gt(e.key,o));t!==void 0&&(a.push(Qt(r,i,o*316,t),`H${o*316+240}`),[r,i]=[o*316+240,t])}return a.push(Qt(r,i,t.x,t.y+23)),a.join(``)}function Qt(e,t,n,r){let i=Math.round((e+n)/2);return`C${i} ${$t(t)} ${i} ${$t(r)} ${n} ${$t(r)}`}function $t(e){return Math.round(e*10)/10}function en(e,t){let n=new Map(t.edges.map(e=>[e.key,e]));return e.map(e=>n.get(e.key)??e)}var tn={good:{fill:`#e7f6ec`,line:`#1a7f45`},bad:{fill:`#fdeaea`,line:`#c0262d`},active:{fill:`#e6f0fd`,line:`#1d64c4`},attention:{fill:`#fdf3dc`,line:`#8a5a00`},faint:{fill:`#f3f4f6`,line:`#5b6472`}};function nn(e){let t=new Map(e.map((e,t)=>[e.id,`s${t}`])),n=[`flowchart LR`];for(let r of e){let{word:e,tone:i}=B(r.phase),a=`${un(r.id)}<br/>${un(e)}`;n.push(`  ${t.get(r.id)}["${a}"]:::${i}`)}for(let[r,i]of cn(e))n.push(`  ${t.get(r)} --> ${t.get(i)}`);for(let[e,{fill:t,line:r}]of Object.entries(tn))n.push(`  classDef ${e} fill:${t},stroke:${r},color:#111827`);return`${n.join(`
`)}\n`}function rn(e,t){let n=[`digraph ${dn(e)} {`,`  rankdir=LR;`,`  node [shape=box, style="rounded,filled", fontname="sans-serif"];`];for(let e of t){let{word:t,tone:r}=B(e.phase),{fill:i,line:a}=tn[r],o=dn(`${e.id}\n${t}`);n.push(`  ${dn(e.id)} [label=${o}, fillcolor="${i}", color="${a}"];`)}for(let[e,r]of cn(t))n.push(`  ${dn(e)} -> ${dn(r)};`);return`${n.join(`
`)}\n}\n`}function an(e,t){let[n,r]=[t.width+48,t.height+48],i=t.edges.map(e=>`<path d="${e.path}" fill="none" stroke="#9aa3af" stroke-width="1.3"/>`);return[`<svg xmlns="http://www.w3.org/2000/svg" width="${n}" height="${r}" viewBox="-24 -24 ${n} ${r}" font-family="system-ui, sans-serif">`,`<title>${ln(e)}</title>`,`<rect x="-24" y="-24" width="100%" height="100%" fill="#ffffff"/>`,...i,...t.boxes.map(on),`</svg>
`].join(`
`)}function on(e){let t=e.item.stacks[0],{word:n,glyph:r,tone:i}=B(t?.phase??``),{fill:a,line:o}=tn[i],s=e.item.stacks.length,c=e.item.kind===null?t?.id??``:`${s} ${e.item.kind}`;return[`<g transform="translate(${e.x} ${e.y})">`,`<rect width="240" height="46" rx="8" fill="${a}" stroke="${o}"/>`,`<path transform="translate(10 8)" d="${_t[r]??``}" fill="none" stroke="${o}" stroke-width="1.6" stroke-linecap="round"/>`,`<text x="34" y="19" font-size="12.5" font-weight="600" fill="#111827">${ln(sn(c,28))}</text>`,`<text x="34" y="36" font-size="11" fill="${o}">${ln(e.item.kind?``:n)}</text>`,`</g>`].join(``)}function sn(e,t){let n=[...e];if(n.length<=t)return e;let r=Math.ceil((t-1)/2);return`${n.slice(0,t-1-r).join(``)}…${n.slice(-r).join(``)}`}function cn(e){let t=new Set(e.map(e=>e.id));return e.flatMap(e=>e.dependsOn.filter(e=>t.has(e)).map(t=>[t,e.id]))}function ln(e){return e.replace(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g,` `).toWellFormed().replace(/[<>&"']/g,e=>`&#${e.charCodeAt(0)};`)}function un(e){return[...e].map(e=>/[A-Za-z0-9 ._/-]/.test(e)?e:`#${e.codePointAt(0)};`).join(``)}function dn(e){return`"${e.replaceAll(`\\`,`\\\\`).replaceAll(`"`,`\\"`).replaceAll(`
`,`\\n`).replace(/[\u0000-\u001f\u007f-\u009f]/g,` `)}"`}function K(e,t,n,r){var i=arguments.length,a=i<3?t:r===null?r=Object.getOwnPropertyDescriptor(t,n):r,o;if(typeof Reflect==`object`&&typeof Reflect.decorate==`function`)a=Reflect.decorate(e,t,n,r);else for(var s=e.length-1;s>=0;s--)(o=e[s])&&(a=(i<3?o(a):i>3?o(t,n,a):o(t,n))||a);return i>3&&a&&Object.defineProperty(t,n,a),a}var fn=12,q=class extends D{constructor(...e){super(...e),this.stack=null,this.stacks=[],this.advice=null,this.now=Date.now()}static{this.styles=[mt,ht,o`
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
      code {
        font-family: var(--mono);
        font-size: 12px;
      }
    `]}render(){let e=this.stack;return e===null?w:S`<header>
        <h2 id="title">${z(e.id)}</h2>
        <button class="button icon plain" aria-label="Close" @click=${this.#o}>
          ${U(`close`)}
        </button>
      </header>
      <div class="body" tabindex="0" role="region" aria-labelledby="title">
        <div>${yt(e.phase)}</div>
        ${this.#e(e)} ${this.#t(e)} ${this.#n(e)} ${this.#r(e)}
      </div>`}#e(e){let t=this.advice,n=e.message||t?.means||``,r=t!==null&&t.do!==``&&t.do!==`Nothing.`;if(!n&&!r)return w;let i=[`Failed`,`TimedOut`,`Canceled`].includes(e.phase)?`bad`:`attention`;return S`${n?S`<p class="message">${n}</p>`:w}
    ${r?S`<div class="do ${i}"><b>What to do</b>${t.do}</div>`:w}`}#t(e){return e.runUrl?S`<div class="links">
          <a class="button" href=${e.runUrl} target="_blank" rel="noopener noreferrer"
            >Open the run in Spacelift ${U(`out`)}</a
          >
        </div>`:w}#n(e){let t=I(F(e.startTime,e.completionTime,this.now));return S`<dl>
      ${[[`Reason`,z(e.reason)],[`Name`,e.name===e.id?``:z(e.name)],[`Changes`,ft(e.delta)],[`Attempts`,e.attempts>1?String(e.attempts):``],[`Took`,e.phase===`Skipped`?``:t],[`Started`,e.startTime?`${pt(e.startTime)} (${L(e.startTime,this.now)} ago)`:``],[`Ended`,pt(e.completionTime)],[`Run`,e.runId?S`<code>${e.runId}</code>`:``],[`In Spacelift`,e.runState],[`Level`,String(e.level+1)]].filter(([,e])=>e!==``).map(([e,t])=>S`<dt>${e}</dt><dd>${t}</dd>`)}
    </dl>`}#r(e){let t=this.stacks.filter(t=>t.dependsOn.includes(e.id)),{upstream:n,downstream:r}=Et(this.stacks,e.id),i=new Map(this.stacks.map(e=>[e.id,e.phase])),a=this.advice?.holds??[];return S`${a.length>0?S`<section>
            <h3>Holds up ${R(this.advice?.held??a.length,`stack`)}</h3>
            ${this.#i(a,i,this.advice?.held)}
          </section>`:w}
      <section>
        <h3>Depends on${n.size>0?` (${n.size} in all)`:``}</h3>
        ${this.#i(e.dependsOn,i)}
      </section>
      <section>
        <h3>Dependents${r.size>0?` (${r.size} in all)`:``}</h3>
        ${this.#i(t.map(e=>e.id),i)}
      </section>`}#i(e,t,n=e.length){if(e.length===0)return S`<span class="muted">None</span>`;let r=n-fn;return S`<div class="names">
      ${e.slice(0,fn).map(e=>S`<button ?disabled=${!t.has(e)} @click=${()=>this.#a(e)}>${V(e)}</button>`)}
      ${r>0?S`<span class="muted">and ${r} more</span>`:w}
    </div>`}#a(e){this.dispatchEvent(new CustomEvent(`stack-select`,{detail:{id:e},bubbles:!0,composed:!0}))}#o(){this.#a(``)}};K([O({attribute:!1})],q.prototype,`stack`,void 0),K([O({attribute:!1})],q.prototype,`stacks`,void 0),K([O({attribute:!1})],q.prototype,`advice`,void 0),K([O({type:Number})],q.prototype,`now`,void 0),q=K([Ve(`stackchain-drawer`)],q);var pn=.08,J=.8,Y=28;function mn(e,t,n){let r=hn(e,t);if(r.scale>=J||n===null)return r.scale>=J?r:{x:Y,y:gn(e.height,t.height,J),scale:J};let i=t.height/2-(n.y+n.height/2)*J;return yn(vn({x:Y,y:Math.round(i),scale:J},e,t),n,t)}function hn(e,t){let n=Math.max(pn,Math.min(1,(t.width-56)/Math.max(1,e.width),(t.height-56)/Math.max(1,e.height)));return{x:gn(e.width,t.width,n),y:gn(e.height,t.height,n),scale:n}}function gn(e,t,n){return Math.max(Y,Math.round((t-e*n)/2))}function _n(e,t,n){let r=Math.min(2,Math.max(pn,e.scale*t)),i=r/e.scale;return{x:n.x-(n.x-e.x)*i,y:n.y-(n.y-e.y)*i,scale:r}}function vn(e,t,n){let r=t.height*e.scale;return r+56<=n.height?{...e,y:gn(t.height,n.height,e.scale)}:{...e,y:Math.min(Y,Math.max(n.height-Y-r,e.y))}}function yn(e,t,n){let r=(t,n,r,i)=>{let[a,o]=[t*e.scale+r,(t+n)*e.scale+r];return a<Y?r+Y-a:o>i-Y?Math.max(r+i-Y-o,r+Y-a):r};return{x:r(t.x,t.width,e.x,n.width),y:r(t.y,t.height,e.y,n.height),scale:e.scale}}function bn(e,t,n){let r=(t,n,r)=>Math.min(r-80,Math.max(80-n*e.scale,t));return{x:r(e.x,t.width,n.width),y:r(e.y,t.height,n.height),scale:e.scale}}var xn={finished:{word:`finished`,glyph:`check`,tone:`good`},pending:{word:`pending`,glyph:`dot`,tone:`faint`},skipped:{word:`skipped`,glyph:`dash`,tone:`faint`}},Sn={width:168,height:104},X=class extends D{constructor(...e){super(...e),this.chain=null,this.advice={},this.selected=``,this.query=``,this.drawer=``,this.isFolded=null,this.opened=new Set,this.view=null,this.room={width:0,height:0},this.now=Date.now(),this.focusKey=``,this.announcement=``,this.parsed=Ke(null),this.layout=null,this.drag=null,this.hasMoved=!1,this.dragged=!1,this.pointers=new Map,this.ticking=0,this.resizing=new ResizeObserver(()=>this.measure()),this.wheel=e=>{if(!this.view)return;e.preventDefault();let t=this.canvas.getBoundingClientRect();if(e.ctrlKey||e.metaKey){let n={x:e.clientX-t.x,y:e.clientY-t.y};this.go(_n(this.view,Math.exp(-e.deltaY/240),n))}else{let[t,n]=e.shiftKey?[e.deltaY,0]:[e.deltaX,e.deltaY];this.go({...this.view,x:this.view.x-t,y:this.view.y-n})}}}static{this.styles=[mt,ht,wn()]}connectedCallback(){super.connectedCallback(),this.ticking=window.setInterval(()=>{this.parsed.stacks.some(e=>e.startTime&&!vt(e.phase))&&(this.now=Date.now())},1e3)}disconnectedCallback(){super.disconnectedCallback(),window.clearInterval(this.ticking),this.resizing.disconnect()}firstUpdated(){this.resizing.observe(this.canvas),this.canvas.addEventListener(`wheel`,this.wheel,{passive:!1}),this.measure()}willUpdate(e){if(e.has(`chain`)){let e=this.parsed;this.parsed=Ke(this.chain),this.now=Date.now(),(e.name!==this.parsed.name||e.namespace!==this.parsed.namespace)&&this.reset(),this.announce(e)}let{stacks:t}=this.parsed;if(e.has(`chain`)||e.has(`isFolded`)||e.has(`opened`)){let e=this.layout?.structure;this.layout=zt(t,{isFolded:this.folded,opened:this.opened},this.layout),e!==void 0&&e!==this.layout.structure&&!this.hasMoved&&(this.view=null)}this.view===null&&this.room.width>0&&this.layout&&this.layout.boxes.length>0&&(this.view=mn(this.layout,this.room,this.worst()))}updated(e){if(e.has(`selected`)&&this.selected){let e=this.keyOf(this.selected);this.focusKey=e,this.show(e)}}get folded(){return this.isFolded??this.parsed.stacks.length>60}reset(){this.layout=null,this.view=null,this.isFolded=null,this.opened=new Set,this.hasMoved=!1,this.focusKey=``}measure(){let{clientWidth:e,clientHeight:t}=this.canvas;(e!==this.room.width||t!==this.room.height)&&(this.room={width:e,height:t},this.hasMoved||(this.view=null))}worst(){let e=[...this.layout?.boxes??[]].filter(e=>e.item.kind===null).map(e=>({box:e,rank:B(e.item.stacks[0]?.phase??``).rank})).filter(({rank:e})=>e<6).sort((e,t)=>e.rank-t.rank||e.box.x-t.box.x||e.box.y-t.box.y);return e[0]?Cn(e[0].box):null}announce(e){let t=new Map(e.stacks.map(e=>[e.id,e.phase])),n=this.parsed.stacks.filter(e=>t.has(e.id)&&t.get(e.id)!==e.phase),r=n.slice(0,3).map(e=>`${e.id}: ${B(e.phase).word}`),i=n.length-r.length;r.length>0&&(this.announcement=r.join(`, `)+(i>0?`, and ${i} more`:``))}render(){let{stacks:e}=this.parsed,t=e.find(e=>e.id===this.selected)??null;return S`<div class="bar">${this.renderBar()}</div>
      <div class="main">
        <div
          class="canvas"
          role="group"
          aria-label=${this.label()}
          @pointerdown=${this.press}
          @pointermove=${this.move}
          @pointerup=${this.release}
          @pointercancel=${this.release}
          @keydown=${this.key}
        >
          ${this.layout&&this.view?this.renderGraph(this.layout,this.view):w}
          ${e.length===0?this.renderEmpty():w}
          ${this.renderMap()}
        </div>
        ${t&&this.drawer!==`none`?S`<stackchain-drawer
              .stack=${t}
              .stacks=${e}
              .advice=${this.advice[t.id]??null}
              .now=${this.now}
              @stack-select=${e=>this.selected=e.detail.id}
            ></stackchain-drawer>`:w}
      </div>
      <div class="unseen" role="status">${this.announcement}</div>`}label(){let{name:e,stacks:t}=this.parsed,n=new Set(t.map(e=>e.level)).size;return`Graph of ${e}: ${R(t.length,`stack`)} in ${R(n,`level`)}. Arrow keys move along dependencies.`}renderEmpty(){return S`<p class="empty">${this.parsed.isBeforeStacks?`The run has not read its stacks yet.`:`No run has read the stacks of this chain yet.`}</p>`}renderBar(){let e=this.query?this.foundKeys().length:0;return S`<label class="search">
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
        <span class="found" ?hidden=${this.query===``}>${e}</span>
      </label>
      ${this.renderFolding()}
      <span class="space"></span>
      <div class="set" role="group" aria-label="Zoom">
        <button class="button icon" aria-label="Zoom out" @click=${()=>this.zoomBy(1/1.3)}>${U(`minus`)}</button>
        <button class="button icon" aria-label="Zoom in" @click=${()=>this.zoomBy(1.3)}>${U(`plus`)}</button>
        <button class="button icon" aria-label="Show all" title="Show all (0)" @click=${this.fit}>${U(`fit`)}</button>
      </div>
      <div class="set" role="group" aria-label="Export">
        <span class="muted set-name">Export</span>
        ${[`SVG`,`Mermaid`,`DOT`].map(e=>S`<button class="button" @click=${()=>this.export(e)}>${e}</button>`)}
      </div>`}renderFolding(){let{stacks:e}=this.parsed;if(e.filter(e=>Ct(e)!==null).length<2)return w;let t=this.layout?.boxes.filter(e=>e.item.kind===null).length??0,n=this.isFolded===null&&this.folded?`Folded to what is not fine: ${t} of ${R(e.length,`stack`)} shown`:this.folded?`${t} of ${R(e.length,`stack`)} shown`:``;return S`<button class="button" aria-pressed=${this.folded?`true`:`false`} @click=${this.toggleFold}>
        ${U(`fold`)} Fold
      </button>
      <span class="muted note">${n}</span>`}renderGraph(e,t){let n=this.lit(),r=`translate(${t.x}px, ${t.y}px) scale(${t.scale})`,i=e.boxes.some(e=>e.key===this.focusKey)?this.focusKey:this.inOrder(e)[0]?.key??``;return S`<div class="plane ${n?`has-lit`:``} ${t.scale<.45?`far`:``}"
      ${W({transform:r})}>
      <svg class="edges" width=${e.width} height=${e.height} aria-hidden="true">
        ${dt(e.edges,e=>e.key,e=>this.renderEdge(e,n))}
      </svg>
      ${dt(e.boxes,e=>e.key,e=>this.renderBox(e,n,e.key===i))}
    </div>`}renderEdge(e,t){return we`<path class=${t!==null&&!this.query&&t.has(e.from)&&t.has(e.to)?`lit`:``} d=${e.path}></path>`}renderBox(e,t,n){let{item:r}=e,i=r.stacks[0];if(!i)return S``;let a=t?.get(e.key)??``,o={transform:`translate(${e.x}px, ${e.y}px)`},s=n?`0`:`-1`,c=`box ${a} ${t&&!a?`dim`:``}`;if(r.kind!==null){let n=xn[r.kind],i=r.stacks.length;return S`<button class="${c} group ${n.tone}" data-key=${e.key} tabindex=${s}
        @click=${()=>this.open(e.key)} ${W(o)}>
        ${H(n.glyph)}
        <span class="lines"
          ><span class="title"
            >${i} ${n.word}<span class="unseen"> stacks of level ${r.level+1}.</span></span
          ><span class="more">${this.related(e,t)||`Show them`}</span></span
        >
      </button>`}let l=B(i.phase);return S`<button class="${c} ${l.tone} ${i.phase===`Running`?`running`:``}" data-key=${e.key}
      tabindex=${s} aria-pressed=${i.id===this.selected?`true`:`false`}
      @click=${()=>this.select(i.id)} ${W(o)}>
      ${H(l.glyph)}
      <span class="lines"
        ><span class="title">${V(i.id)}</span
        ><span class="more"
          ><b>${l.word}</b>${this.detail(i)}<span class="unseen">${this.describe(i)}</span></span
        ></span
      >
    </button>`}related(e,t){if(t===null||!this.selected||this.query)return``;let{upstream:n,downstream:r}=Et(this.parsed.stacks,this.selected),i=e.item.stacks.map(e=>e.id),[a,o]=[n,r].map(e=>i.filter(t=>e.has(t)).length);return[a?`${a} upstream`:``,o?`${o} downstream`:``].filter(Boolean).join(`, `)}detail(e){let t=e.phase!==`Skipped`&&e.phase!==`Pending`?I(F(e.startTime,e.completionTime,this.now)):``,n=ft(e.delta);return[t,e.attempts>1?`attempt ${e.attempts}`:``,n,e.reason===`OutputUnchanged`?`inputs unchanged`:``].filter(Boolean).map(e=>` · ${e}`).join(``)}describe(e){let t=e.dependsOn.length,n=t>0?`, depends on ${t>3?R(t,`stack`):e.dependsOn.join(`, `)}`:``;return`, level ${e.level+1}${n}`}renderMap(){let{layout:e,view:t,room:n}=this;if(!e||!t||e.boxes.length===0)return w;let[r,i]=[e.width*t.scale,e.height*t.scale];if(t.x>=0&&t.y>=0&&t.x+r<=n.width&&t.y+i<=n.height)return w;let a=Math.min(Sn.width/e.width,Sn.height/e.height),o=1.5/a;return S`<svg class="map" aria-hidden="true" @pointerdown=${this.mapPress}
      viewBox="0 0 ${e.width} ${e.height}"
      width=${Math.max(24,e.width*a)} height=${Math.max(24,e.height*a)}>
      ${e.boxes.map(e=>we`<rect class=${e.item.kind?xn[e.item.kind].tone:B(e.item.stacks[0]?.phase??``).tone} x=${e.x} y=${e.y} width=${240} height=${Math.max(46,o)}></rect>`)}
      ${we`<rect class="window" x=${-t.x/t.scale} y=${-t.y/t.scale}
        width=${n.width/t.scale} height=${n.height/t.scale} vector-effect="non-scaling-stroke"></rect>`}
    </svg>`}lit(){if(this.query)return new Map(this.foundKeys().map(e=>[e,`found`]));if(!this.selected||!this.parsed.stacks.some(e=>e.id===this.selected))return null;let{upstream:e,downstream:t}=Et(this.parsed.stacks,this.selected),n=new Map;for(let r of this.layout?.boxes??[])for(let{id:i}of r.item.stacks)i===this.selected?n.set(r.key,`selected`):!n.has(r.key)&&(e.has(i)||t.has(i))&&n.set(r.key,e.has(i)?`upstream`:`downstream`);return n}foundKeys(){let e=this.query.toLowerCase();return(this.layout?.boxes??[]).filter(t=>t.item.stacks.some(t=>t.id.toLowerCase().includes(e)||t.name.toLowerCase().includes(e))).map(e=>e.key)}keyOf(e){return this.layout?.boxes.find(t=>t.item.stacks.some(t=>t.id===e))?.key??``}inOrder(e){return[...e.boxes].sort((e,t)=>e.x-t.x||e.y-t.y)}select(e){this.dragged||(this.selected=this.selected===e?``:e,this.emit(`stack-select`,{id:this.selected}))}open(e){this.dragged||(this.opened=new Set([...this.opened,e]))}toggleFold(){this.isFolded=!this.folded,this.opened=new Set,this.hasMoved=!1,this.view=null}fit(){this.layout&&(this.view=hn(this.layout,this.room),this.hasMoved=!0)}zoomBy(e){if(this.view){let t={x:this.room.width/2,y:this.room.height/2};this.go(_n(this.view,e,t))}}go(e){this.layout&&(this.hasMoved=!0,this.view=bn(e,this.layout,this.room))}show(e){let t=this.layout?.boxes.find(t=>t.key===e);if(t&&this.view){let e=yn(this.view,Cn(t),this.room);(e.x!==this.view.x||e.y!==this.view.y)&&this.go(e)}}async focusBox(e){this.focusKey=e,this.show(e),await this.updateComplete,[...this.renderRoot.querySelectorAll(`.box`)].find(t=>t.dataset.key===e)?.focus({preventScroll:!0})}press(e){e.button===0&&this.view&&(this.pointers.set(e.pointerId,{x:e.clientX,y:e.clientY}),this.drag={x:e.clientX,y:e.clientY,view:this.view},this.dragged=!1)}move(e){let t=this.pointers.get(e.pointerId);if(!t||!this.drag||!this.view)return;let n=[...this.pointers].filter(([t])=>t!==e.pointerId).map(([,e])=>e)[0];if(n){let r=e=>Math.hypot(e.x-n.x,e.y-n.y),i=this.canvas.getBoundingClientRect(),a={x:(e.clientX+n.x)/2-i.x,y:(e.clientY+n.y)/2-i.y},o={x:e.clientX,y:e.clientY};this.go(_n(this.view,r(o)/Math.max(1,r(t)),a)),this.dragged=!0,this.drag={...o,view:this.view}}else{let[t,n]=[e.clientX-this.drag.x,e.clientY-this.drag.y];(this.dragged||Math.hypot(t,n)>4)&&(this.dragged||this.canvas.setPointerCapture(e.pointerId),this.dragged=!0,this.go({...this.drag.view,x:this.drag.view.x+t,y:this.drag.view.y+n}))}this.pointers.set(e.pointerId,{x:e.clientX,y:e.clientY})}release(e){this.pointers.delete(e.pointerId),this.drag=null,window.setTimeout(()=>this.dragged=!1);let t=e.target.closest(`.box, .map`)!==null;e.type===`pointerup`&&!this.dragged&&!t&&this.selected&&this.select(this.selected)}mapPress(e){e.stopPropagation();let t=e.currentTarget.getBoundingClientRect(),{layout:n,view:r,room:i}=this;if(n&&r){let a=(e.clientX-t.x)/t.width*n.width,o=(e.clientY-t.y)/t.height*n.height;this.go({...r,x:i.width/2-a*r.scale,y:i.height/2-o*r.scale})}}focusSearch(){this.input.focus(),this.input.select()}type(){this.query=this.input.value,this.emit(`query-change`,{query:this.query})}searchKey(e){e.stopPropagation();let t=this.layout;if(e.key===`Escape`)this.query?(this.input.value=``,this.type()):this.input.blur();else if((e.key===`Enter`||e.key===`ArrowDown`)&&t){e.preventDefault();let n=new Set(this.foundKeys()),r=this.inOrder(t).find(e=>n.has(e.key)||!this.query);r&&this.focusBox(r.key)}}key(e){if(e.ctrlKey||e.metaKey||e.altKey||!this.layout)return;let t=this.inOrder(this.layout),n=t.findIndex(e=>e.key===this.focusKey),r=t[n]??t[0],i=r&&this.target(e.key,t,r,Math.max(0,n));if(i)e.preventDefault(),this.focusBox(i.key);else{switch(e.key){case`/`:e.preventDefault(),this.focusSearch();break;case`Escape`:if(!this.selected)return;this.select(this.selected);break;case`+`:case`=`:this.zoomBy(1.3);break;case`-`:this.zoomBy(1/1.3);break;case`0`:this.fit();break;default:return}e.stopPropagation()}}target(e,t,n,r){let i=e=>t.filter(t=>e.includes(t.key)).sort((e,t)=>Math.abs(e.y-n.y)-Math.abs(t.y-n.y))[0],a=this.layout?.edges??[],o=t.filter(e=>e.column===n.column),s=o.indexOf(n);switch(e){case`ArrowRight`:return i(a.filter(e=>e.from===n.key).map(e=>e.to));case`ArrowLeft`:return i(a.filter(e=>e.to===n.key).map(e=>e.from));case`ArrowDown`:return o[s+1];case`ArrowUp`:return o[s-1];case`j`:return t[r+1];case`k`:return t[r-1];case`Home`:return t[0];case`End`:return t.at(-1);default:return}}export(e){let{name:t,stacks:n}=this.parsed,[r,i,a]=e===`SVG`?[this.layout?an(t,this.layout):``,`image/svg+xml`,`svg`]:e===`DOT`?[rn(t,n),`text/vnd.graphviz`,`dot`]:[nn(n),`text/plain`,`mmd`],o=document.createElement(`a`);o.href=URL.createObjectURL(new Blob([r],{type:i})),o.download=`${t||`chain`}.${a}`,o.click(),window.setTimeout(()=>URL.revokeObjectURL(o.href),1e4)}emit(e,t){this.dispatchEvent(new CustomEvent(e,{detail:t,bubbles:!0,composed:!0}))}};K([O({attribute:!1})],X.prototype,`chain`,void 0),K([O({attribute:!1})],X.prototype,`advice`,void 0),K([O()],X.prototype,`selected`,void 0),K([O()],X.prototype,`query`,void 0),K([O()],X.prototype,`drawer`,void 0),K([k()],X.prototype,`isFolded`,void 0),K([k()],X.prototype,`opened`,void 0),K([k()],X.prototype,`view`,void 0),K([k()],X.prototype,`room`,void 0),K([k()],X.prototype,`now`,void 0),K([k()],X.prototype,`focusKey`,void 0),K([k()],X.prototype,`announcement`,void 0),K([Ge(`.canvas`)],X.prototype,`canvas`,void 0),K([Ge(`input`)],X.prototype,`input`,void 0),X=K([Ve(`stackchain-graph`)],X);function Cn(e){return{x:e.x,y:e.y,width:240,height:46}}function wn(){return o`
    :host {
      display: flex;
      flex-direction: column;
      min-height: 320px;
      background: var(--canvas);
      position: relative;
    }
    .bar {
      display: flex;
      align-items: center;
      flex-wrap: wrap;
      gap: 8px;
      padding: 8px 16px;
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
    .found {
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
      width: ${240}px;
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
      opacity: 0.32;
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
  `}var Z={failed:{word:`Failed`,glyph:`cross`,tone:`bad`},person:{word:`Waits for a person`,glyph:`person`,tone:`attention`},blocked:{word:`Blocked`,glyph:`hourglass`,tone:`attention`},unreadable:{word:`Unreadable`,glyph:`question`,tone:`attention`},running:{word:`Running`,glyph:`play`,tone:`active`},suspended:{word:`Suspended`,glyph:`stop`,tone:`faint`},scheduled:{word:`Scheduled`,glyph:`clock`,tone:`faint`},idle:{word:`Not requested`,glyph:`dot`,tone:`faint`},fine:{word:`Succeeded`,glyph:`check`,tone:`good`}},Tn=Object.keys(Z);function En(e){return`${e.namespace}/${e.name}`}function Dn(e){let t=e=>{let t=Tn.indexOf(e.state);return t<0?Tn.length:t};return[...e].sort((e,n)=>t(e)-t(n)||G(e.name,n.name)||G(e.namespace,n.namespace))}function On(e,t){let n=A(e.resource.status),r=new Map(t.stacks.map(e=>[M(e.id),e])),i=new Set(t.removed),a=j(n.stacks).map(e=>[M(A(e).id),e]).filter(([e])=>!i.has(e)).map(([e,t])=>{let n=r.get(e)??t;return r.delete(e),n}),o=t.detail.resource,s={...e.advice,...t.advice};return{...t.detail,resource:{...o,status:{...A(o.status),stacks:[...a,...r.values()]}},advice:Object.fromEntries(Object.entries(s).filter(e=>e[1]!==null))}}function kn(e,...t){let n=t.join(`
`).toLowerCase();return e.toLowerCase().split(/\s+/).every(e=>n.includes(e))}var An=2e3,jn=class{constructor(e){this.changed=e,this.rows=new Map,this.detail=null,this.isMissing=!1,this.problem=``,this.hello=null,this.hasRows=!1,this.link=`connecting`,this.source=null,this.target=``,this.timer=0}follow(e,t){let n=t?`?${new URLSearchParams({namespace:e,name:t}).toString()}`:``;this.source&&n===this.target||(this.target=n,this.detail=null,this.isMissing=!1,this.connect())}resume(){!this.source&&this.link!==`refused`&&this.connect()}close(){window.clearTimeout(this.timer),this.source?.close(),this.source=null}connect(){this.close();let e=new EventSource(`api/stream${this.target}`);this.source=e;let t=(t,n)=>{e.addEventListener(t,e=>{n(JSON.parse(e.data)),this.link=`live`,this.changed()})};t(`hello`,e=>this.hello=e),t(`chains`,e=>{this.rows.clear(),e.forEach(e=>this.rows.set(En(e),e)),this.hasRows=!0}),t(`chain`,e=>this.rows.set(En(e),e)),t(`gone`,e=>this.rows.delete(En(e))),t(`detail`,e=>{this.detail=e,this.isMissing=!1}),t(`change`,e=>{this.detail=this.detail&&On(this.detail,e)}),t(`missing`,()=>this.isMissing=!0),t(`problem`,e=>this.problem=e.text),e.addEventListener(`error`,()=>void this.failed(e))}async failed(e){if(e!==this.source)return;this.link=`lost`,this.changed(),e.close();let t=await fetch(`api/session`).catch(()=>null);e===this.source&&(t&&(t.status===401||t.status===403)?(this.link=`refused`,this.changed()):this.timer=window.setTimeout(()=>this.connect(),An))}},Mn=[`graph`,`table`,`timeline`,`events`,`runs`],Nn={namespace:``,chain:``,view:`graph`,query:``,only:[],sort:``,stack:``,run:``};function Pn(e){let t=new URLSearchParams(e),n=t.get(`view`);return{namespace:t.get(`namespace`)??``,chain:t.get(`chain`)??``,view:Mn.find(e=>e===n)??`graph`,query:t.get(`q`)??``,only:(t.get(`only`)??``).split(`,`).filter(Boolean),sort:t.get(`sort`)??``,stack:t.get(`stack`)??``,run:t.get(`run`)??``}}function Fn(e){let t=new URLSearchParams,n=[[`namespace`,e.namespace,``],[`chain`,e.chain,``],[`view`,e.view,`graph`],[`q`,e.query,``],[`only`,e.only.join(`,`),``],[`sort`,e.sort,``],[`stack`,e.stack,``],[`run`,e.run,``]];for(let[e,r,i]of n)r!==i&&t.set(e,r);let r=t.toString();return r?`?${r}`:`?`}function In(e,t){return e===t?`-${t}`:e===`-${t}`?``:t}var Ln=200,Rn=[[`succeeded`,`good`],[`running`,`active`],[`awaitingConfirmation`,`attention`],[`waiting`,`attention`],[`failed`,`bad`],[`timedOut`,`bad`],[`canceled`,`bad`],[`skipped`,`faint`]];function zn(e,t){let n=e.total||0;return S`<span class="shares" role="img" aria-label=${t}>
    ${n>0?Rn.filter(([t])=>e[t]).map(([t,r])=>S`<i class=${r} ${W({width:`${(e[t]??0)/n*100}%`})}></i>`):w}
  </span>`}var Bn=o`
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
`,Q=class extends D{constructor(...e){super(...e),this.rows=[],this.route=Nn,this.isLoaded=!1,this.scope=``,this.now=Date.now(),this.most=Ln}static{this.styles=[mt,ht,Bn,o`
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
      .chain {
        display: grid;
        grid-template-columns: 24px minmax(150px, 1.1fr) minmax(0, 2.6fr) 132px 92px 128px;
        align-items: center;
        gap: 4px 16px;
        padding: 11px 18px;
        color: inherit;
        text-decoration: none;
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
        .when,
        .run {
          display: none;
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
    `]}focusSearch(){this.renderRoot.querySelector(`input`)?.focus()}render(){let{query:e,only:t}=this.route,n=Dn(this.rows.filter(n=>(t.length===0||t.includes(n.state))&&kn(e,n.name,n.namespace,n.reason,n.headline,n.operation)));return S`<div class="inside">
      <h1>Chains <span>${this.rows.length.toLocaleString(`en-US`)}</span></h1>
      ${this.rows.length>0?this.renderFilters():w}
      ${n.length>0?S`<ul @keydown=${this.key}>
            ${dt(n.slice(0,this.most),En,e=>this.renderRow(e))}
          </ul>`:this.renderEmpty()}
      ${n.length>this.most?S`<button class="button rest" @click=${()=>this.most+=Ln}>
            Show more (${(n.length-this.most).toLocaleString(`en-US`)} left)
          </button>`:w}
    </div>`}renderFilters(){let e=new Map;return this.rows.forEach(t=>e.set(t.state,(e.get(t.state)??0)+1)),S`<div class="filters">
      <input class="field" type="search" placeholder="Search name, namespace, reason" aria-label="Search chains"
        aria-keyshortcuts="/" .value=${this.route.query} @input=${this.type} />
      ${Tn.filter(t=>e.has(t)||this.route.only.includes(t)).map(t=>{let{word:n,glyph:r,tone:i}=Z[t];return S`<button class="button chip ${i}" aria-pressed=${this.route.only.includes(t)}
          @click=${()=>this.toggle(t)}>
          ${H(r)}${n} <b>${e.get(t)??0}</b>
        </button>`})}
    </div>`}renderRow(e){let t=Z[e.state]??Z.unreadable,n=Fn({...Nn,namespace:e.namespace,chain:e.name}),r=I(F(e.startTime,e.completionTime,this.now)),i=e.summary.total??0;return S`<li>
      <a class="chain ${t.tone}" href=${n} data-internal>
        ${H(t.glyph)}
        <span class="name">${V(e.name)}<span class="muted">${e.namespace}</span></span>
        <span class="what"
          ><b>${t.word}</b>${e.reason&&e.reason!==t.word?S`<span class="muted small"> ${z(e.reason)}</span>`:w}
          <span class="text">${z(e.headline)}</span></span
        >
        <span class="progress">
          ${i>0?S`<span class="small muted">${e.progress}</span>
                ${zn(e.summary,`${e.progress} stacks done`)}`:S`<span class="small muted">No stacks yet</span>`}
        </span>
        <span class="run small right"
          >${e.run?S`Run ${e.run}<br /><span class="muted">${e.operation}</span>`:w}</span
        >
        <span class="when small right"
          >${e.startTime?S`${e.completionTime?`took`:`for`} ${r}<br />
                <span class="muted">${this.renderLast(e)}</span>`:S`<span class="muted">${this.renderLast(e)}</span>`}</span
        >
      </a>
    </li>`}renderLast(e){if(e.nextTime&&(e.state===`scheduled`||e.state===`fine`)){let t=(Date.parse(e.nextTime)-this.now)/1e3;return t>0?`next in ${I(Math.floor(t))}`:`next run is due`}return e.succeededTime?`succeeded ${L(e.succeededTime,this.now)} ago`:e.startTime?`has not succeeded yet`:`created ${L(e.createdTime,this.now)} ago`}renderEmpty(){return this.isLoaded?this.rows.length>0?S`<div class="empty">
        No chain matches.
        <button class="button" @click=${()=>this.go({...this.route,query:``,only:[]})}>Show all ${R(this.rows.length,`chain`)}</button>
      </div>`:S`<div class="empty">
      There are no StackChains in ${this.scope||`this namespace`}.<br />
      Create one with <code>kubectl apply -f examples/platform.yaml</code>; it appears here.
    </div>`:S`<div class="empty">Reading the chains…</div>`}type(e){this.go({...this.route,query:e.target.value})}toggle(e){let{only:t}=this.route,n=t.includes(e)?t.filter(t=>t!==e):[...t,e];this.go({...this.route,only:n})}key(e){let t=[...this.renderRoot.querySelectorAll(`a.chain`)],n=t.indexOf(e.target),r={j:1,ArrowDown:1,k:-1,ArrowUp:-1}[e.key],i=r&&t[n+r];i&&(e.preventDefault(),i.focus())}go(e){this.dispatchEvent(new CustomEvent(`go`,{detail:{route:e,isSmall:!0},bubbles:!0,composed:!0}))}};K([O({attribute:!1})],Q.prototype,`rows`,void 0),K([O({attribute:!1})],Q.prototype,`route`,void 0),K([O({type:Boolean})],Q.prototype,`isLoaded`,void 0),K([O()],Q.prototype,`scope`,void 0),K([O({type:Number})],Q.prototype,`now`,void 0),K([k()],Q.prototype,`most`,void 0),Q=K([Ve(`chain-list`)],Q);var Vn=3;function Hn(e){let{chain:t,detail:n}=e,r=Z[n.state]??Z.unreadable,i=t.ready?.message??``;return S`<section class="headline ${r.tone}" aria-label="State of the chain">
    <div class="state">
      ${H(r.glyph)}
      <div class="words">
        <h1>${r.word}<span class="muted reason">${z(t.ready?.reason??``)}</span></h1>
        ${i?S`<p class="message" title=${z(i)}>${z(i)}</p>`:w}
        ${n.notes.map(e=>S`<p class="small muted">${e}</p>`)}
        ${n.problem?S`<p class="small bad-text">${n.problem}</p>`:w}
      </div>
    </div>
    ${Un(e)}
  </section>`}function Un({chain:e,now:t}){let n=e.run,r=n?I(F(n.startTime,n.completionTime,t)):``,i=n?[[`Run`,n.number],[`Cause`,n.cause],[`Operation`,n.operation],[n.completionTime?`Took`:`Elapsed`,r],[`Progress`,n.progress]]:[];return e.nextTime&&i.push([`Next run`,pt(e.nextTime)]),S`<dl class="facts">
    ${i.filter(([,e])=>e!==``).map(([e,t])=>S`<div><dt>${e}</dt><dd>${t}</dd></div>`)}
    ${n?.workflowUrl?S`<div>
          <dt>Workflow</dt>
          <dd><a href=${n.workflowUrl} target="_blank" rel="noopener noreferrer">Temporal ${U(`out`)}</a></dd>
        </div>`:w}
  </dl>`}function Wn({chain:e,route:t,go:n}){let r=new Map;if(e.stacks.forEach(e=>r.set(e.phase,(r.get(e.phase)??0)+1)),r.size===0)return w;let i=Object.fromEntries([...r].map(([e,t])=>[`${e.charAt(0).toLowerCase()}${e.slice(1)}`,t])),a=[...r].sort(([e],[t])=>B(e).rank-B(t).rank),o=e=>{n({only:t.only.includes(e)?t.only.filter(t=>t!==e):[...t.only,e],view:t.view===`graph`?`table`:t.view})};return S`<div class="phases">
    ${zn({...i,total:e.stacks.length},`${e.run?.progress??``} stacks done`)}
    <div class="chips" role="group" aria-label="Show only stacks of a phase">
      ${a.map(([e,n])=>{let r=B(e);return S`<button class="chip ${r.tone}" aria-pressed=${t.only.includes(e)}
          @click=${()=>o(e)}>${H(r.glyph)}<b>${n}</b> ${r.word}</button>`})}
    </div>
  </div>`}function Gn(e){let t=e.detail.needs;if(t.length===0)return w;let n=e.areAllNeeds?t:t.slice(0,Vn);return S`<section class="needs" aria-labelledby="needs">
    <h2 id="needs">Needs you <span class="count">${t.length}</span></h2>
    <ul>
      ${n.map(t=>Kn(t,e))}
    </ul>
    ${t.length>Vn?S`<button class="more" aria-expanded=${e.areAllNeeds}
          @click=${()=>e.showAllNeeds(!e.areAllNeeds)}>
          ${e.areAllNeeds?`Show fewer`:`Show all ${t.length}`}
        </button>`:w}
  </section>`}function Kn(e,{route:t,go:n}){let r=B(e.phase),i=t.stack===e.id,a=Xe(e.runUrl),o=e.do&&e.do!==`Nothing.`;return S`<li class="${r.tone} ${i?`picked`:``}">
    <button class="need" aria-pressed=${i} @click=${()=>n({stack:i?``:e.id})}>
      ${H(r.glyph)}
      <span class="who">${V(e.id)}</span>
      <span class="phase-word">${r.word}</span>
      <span class="said" title=${z(e.message)}>${z(e.message||e.means||e.reason)}${o?S`<span class="todo">${e.do}</span>`:w}</span>
      <span class="holds">${e.held>0?`holds up ${R(e.held,`stack`)}`:``}</span>
    </button>
    ${a?S`<a class="button" href=${a} target="_blank" rel="noopener noreferrer"
          aria-label="Open the run of ${e.id} in Spacelift">Spacelift ${U(`out`)}</a>`:w}
  </li>`}var qn=o`
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
  .phases {
    padding: 0 24px 12px;
    display: grid;
    gap: 8px;
  }
  .chips {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    margin-left: -8px;
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
    padding: 9px 14px 7px;
    font-size: 12.5px;
    font-weight: 620;
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
    max-height: 264px;
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
    grid-template-columns: 20px minmax(110px, 220px) 146px minmax(0, 1fr) auto;
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
  .phase-word {
    color: var(--tone);
    font-weight: 550;
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
    .needs ul {
      max-height: none;
    }
    .need {
      grid-template-columns: 20px minmax(0, 1fr) auto;
      gap: 2px 10px;
      padding: 9px 0 9px 12px;
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
`;function Jn(e,t,n){let r=e.filter(e=>(t.only.length===0||t.only.includes(e.phase))&&kn(t.query,e.id,e.name,e.reason,e.message)),i=t.sort.startsWith(`-`),a=t.sort.replace(/^-/,``),o=(e,t)=>B(e.phase).rank-B(t.phase).rank||e.level-t.level||G(e.id,t.id),s=Yn[a];return r.sort((e,t)=>{let r=s?s(e,t,n):0;return(i?-r:r)||o(e,t)})}var Yn={stack:(e,t)=>G(e.id,t.id),phase:(e,t)=>B(e.phase).rank-B(t.phase).rank,why:(e,t)=>G(e.reason,t.reason),level:(e,t)=>e.level-t.level,changes:(e,t)=>Zn(e)-Zn(t),started:(e,t)=>G(e.startTime||`~`,t.startTime||`~`),took:(e,t,n)=>Xn(e,n)-Xn(t,n)};function Xn(e,t){return(e.phase===`Skipped`?null:F(e.startTime,e.completionTime,t))??-1}function Zn(e){return e.delta?e.delta.added+e.delta.changed+e.delta.deleted:-1}function Qn(e,t){let n=e.filter(e=>Number.isFinite(Date.parse(e.startTime))&&e.phase!==`Skipped`),r=e=>e.completionTime?Date.parse(e.completionTime):t,i=Math.min(...n.map(e=>Date.parse(e.startTime))),a=Math.max(...n.map(r),i+1e3),o=$n(n,r);return{bars:n.map(e=>({stack:e,start:(Date.parse(e.startTime)-i)/(a-i),end:(Math.max(Date.parse(e.startTime),r(e))-i)/(a-i),isCritical:o.has(e.id)})).sort((e,t)=>e.start-t.start||e.end-t.end||G(e.stack.id,t.stack.id)),from:n.length>0?i:t,until:n.length>0?a:t,others:e.length-n.length}}function $n(e,t){let n=new Map(e.map(e=>[e.id,e])),r=e=>e.map(e=>n.get(e)).filter(e=>e!==void 0).sort((e,n)=>t(n)-t(e)||G(e.id,n.id))[0],i=new Set,a=r([...n.keys()]);for(;a&&!i.has(a.id);)i.add(a.id),a=r(a.dependsOn);return i}function er(e,t){let n=[1,2,5,10,15,30,60,120,300,600,900,1800,3600,7200,14400,43200,86400].find(n=>e/n<=t)??Math.ceil(e/t/86400)*86400;return Array.from({length:Math.floor(e/n)+1},(e,t)=>t*n)}var tr={stack:`Stack`,phase:`Phase`,why:`Why`,level:`Level`,changes:`Changes`,started:`Started`,took:`Took`};function nr(e){let{chain:t,route:n,now:r,go:i}=e,a=Jn(t.stacks,n,r);return t.stacks.length===0?sr(t):S`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${Object.keys(tr).map(e=>rr(e,n,i))}
          <th class="c-link"><span class="unseen">Link</span></th>
        </tr>
      </thead>
      <tbody>
        ${dt(a,e=>e.id,t=>ir(t,e))}
      </tbody>
    </table>
    ${a.length===0?S`<p class="none">No stack matches.</p>`:w}
  </div>`}function rr(e,t,n){let r=t.sort===e?`ascending`:t.sort===`-${e}`?`descending`:`none`,i=r===`ascending`?`↑`:r===`descending`?`↓`:``;return S`<th class="c-${e}" aria-sort=${r}>
    <button @click=${()=>n({sort:In(t.sort,e)})}>${tr[e]} ${i}</button>
  </th>`}function ir(e,{route:t,now:n,go:r}){let i=e.phase===`Skipped`?``:I(F(e.startTime,e.completionTime,n)),a=e.id===t.stack,o=()=>r({stack:a?``:e.id});return S`<tr class=${a?`picked`:``} @click=${o}>
    <td class="c-stack"><button class="row" aria-pressed=${a} @click=${e=>{e.stopPropagation(),o()}}>${V(e.id)}</button></td>
    <td class="c-phase">${yt(e.phase)}</td>
    <td class="c-why"><span class="cut" title=${z(e.message)}>${or(e)}</span></td>
    <td class="c-level">${e.level+1}</td>
    <td class="c-changes">${ft(e.delta)}</td>
    <td class="c-started">${e.startTime?`${L(e.startTime,n)} ago`:``}</td>
    <td class="c-took">${i}</td>
    <td class="c-link">${e.runUrl?S`<a class="button icon plain" href=${e.runUrl} target="_blank" rel="noopener noreferrer"
          aria-label="Open the run of ${e.id} in Spacelift" @click=${e=>e.stopPropagation()}>${U(`out`)}</a>`:w}</td>
  </tr>`}var ar=[`RunFinished`,`RunInProgress`];function or(e){let t=e.attempts>1?`Attempt ${e.attempts}. `:``,n=ar.includes(e.reason)?``:e.reason;return t+(z(e.message)||n)}function sr(e){return S`<p class="none">
    ${e.isBeforeStacks?`The run has not read its stacks yet.`:`No run has read the stacks of this chain yet.`}
  </p>`}function cr({chain:e,route:t,now:n,go:r}){let{bars:i,from:a,until:o,others:s}=Qn(e.stacks,n);if(i.length===0)return sr(e);let c=i.filter(({stack:e})=>kn(t.query,e.id,e.name)&&(t.only.length===0||t.only.includes(e.phase))),l=(o-a)/1e3,u=e=>`${(e*100).toFixed(3)}%`,d=er(l,8);return S`<div class="scroll gantt">
    <div class="axis">
      <span></span>
      <div class="track">
        ${d.map(e=>S`<span class="tick" ${W({left:u(e/l)})}>${I(e)}</span>`)}
      </div>
    </div>
    ${dt(c,({stack:e})=>e.id,({stack:e,start:i,end:a,isCritical:o})=>{let s=B(e.phase),c=I(F(e.startTime,e.completionTime,n)),f=Math.max(a-i,.002);return S`<button class="lane ${s.tone} ${e.id===t.stack?`picked`:``}"
          aria-pressed=${e.id===t.stack}
          @click=${()=>r({stack:e.id===t.stack?``:e.id})}>
          <span class="who">${H(s.glyph)}${V(e.id)}</span>
          <span class="unseen"
            >${s.word}, started after
            ${I(Math.floor(i*l))}${o?`, on the critical path`:``}, took</span
          >
          <span class="track">
            ${d.map(e=>S`<i class="grid" ${W({left:u(e/l)})}></i>`)}
            <span class="bar ${o?`critical`:``} ${e.phase===`Running`?`running`:``}"
              ${W({left:u(i),width:u(f)})}></span>
            <span class="took ${a>.86?`before`:``}"
              ${W(a>.86?{right:u(1-i),left:`auto`}:{left:u(i+f),right:`auto`})}>${c}</span>
          </span>
        </button>`})}
    <p class="key">
      <span class="bar critical sample"></span> critical path: from the stack that ended last back to
      a root, over the upstream stack that ended last each time${s>0?S` · ${R(s,`stack`)} ${s===1?`has`:`have`} not run`:w}
    </p>
  </div>`}function lr(e,t,{route:n,now:r}){if(t)return S`<p class="none">${t}</p>`;if(e===null)return S`<p class="none">Reading the events…</p>`;let i=e.filter(e=>kn(n.query,e.reason,e.message));return S`<div class="scroll">
    ${i.length===0?S`<p class="none">
          ${e.length>0?`No event matches.`:`The cluster has no events of this chain any more; it keeps them for an hour.`}
        </p>`:S`<ol class="events">
          ${i.map(e=>S`<li class=${e.type===`Warning`?`bad`:`faint`}>
              <time datetime=${e.time} title=${pt(e.time)}>${L(e.time,r)} ago</time>
              ${H(e.type===`Warning`?`cross`:`dot`)}
              <b>${e.reason}</b>
              <span class="said">${e.message}${e.count>1?S` <span class="muted">× ${e.count}</span>`:w}</span>
            </li>`)}
        </ol>`}
  </div>`}function ur({chain:e,route:t,now:n,go:r}){let i=e.run?[e.run,...e.history]:[...e.history];return i.length===0?S`<p class="none">This chain has not run yet.</p>`:S`<div class="scroll">
    <table class="runs">
      <thead>
        <tr>
          <th>Run</th>
          <th>Phase</th>
          <th>Progress</th>
          <th>Cause</th>
          <th>Operation</th>
          <th>Started</th>
          <th>Took</th>
          <th class="c-why">What happened</th>
          <th><span class="unseen">Link</span></th>
        </tr>
      </thead>
      <tbody>
        ${i.map((e,a)=>dr(e,i[a+1],t.run===String(e.number),n,r))}
      </tbody>
    </table>
  </div>`}function dr(e,t,n,r,i){let a=F(e.startTime,e.completionTime,r),o=t?F(t.startTime,t.completionTime,r):null,s=e.completionTime&&t?.completionTime&&a!==null&&o!==null?a-o:0,c=()=>i({run:n?``:String(e.number)});return S`<tr class=${n?`picked`:``} @click=${c}>
    <td><button class="row" aria-pressed=${n} @click=${e=>{e.stopPropagation(),c()}}>${e.number}</button></td>
    <td>${yt(e.phase)}</td>
    <td>${e.progress}</td>
    <td>${e.cause}</td>
    <td>${e.operation}</td>
    <td title=${pt(e.startTime)}>${e.startTime?`${L(e.startTime,r)} ago`:``}</td>
    <td>
      ${I(a)}
      ${s===0?w:S`<span class="muted" title="than the run before">${s>0?`+`:`−`}${I(Math.abs(s))}</span>`}
    </td>
    <td class="c-why"><span class=${n?`whole`:`cut`}>${z(e.message)||e.reason}</span></td>
    <td>${e.workflowUrl?S`<a class="button icon plain" href=${e.workflowUrl} target="_blank" rel="noopener noreferrer"
          aria-label="Open run ${e.number} in Temporal" @click=${e=>e.stopPropagation()}>${U(`out`)}</a>`:w}</td>
  </tr>`}var fr=o`
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
  .row {
    display: flex;
    max-width: 34ch;
    padding: 0;
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
  .whole {
    white-space: normal;
    overflow-wrap: anywhere;
    color: var(--muted);
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
    height: 32px;
    background: var(--surface);
    border-bottom: 1px solid var(--line);
    font-size: 11.5px;
    color: var(--muted);
  }
  .track {
    position: relative;
    height: 100%;
    margin-right: 24px;
  }
  .tick {
    position: absolute;
    top: 7px;
    transform: translateX(-50%);
  }
  .tick:first-child {
    transform: none;
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
  }
  .took {
    position: absolute;
    top: 6px;
    padding: 0 6px;
    font-size: 11.5px;
    color: var(--muted);
  }
  .key {
    margin: 14px 0 0;
    font-size: 12px;
    color: var(--muted);
  }
  .sample {
    position: static;
    display: inline-block;
    width: 28px;
    height: 10px;
    margin-right: 6px;
    --tone: var(--good);
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
  @media (max-width: 1100px) {
    .c-level,
    .c-started {
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
    .c-link,
    .runs td:nth-child(4),
    .runs th:nth-child(4),
    .runs td:nth-child(5),
    .runs th:nth-child(5),
    .runs td:nth-child(6),
    .runs th:nth-child(6),
    .runs td:nth-child(9),
    .runs th:nth-child(9) {
      display: none;
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
`,pr={graph:`Graph`,table:`Table`,timeline:`Timeline`,events:`Events`,runs:`Runs`},mr=`(max-width: 700px)`,hr=5e3,$=class extends D{constructor(...e){super(...e),this.route=Pn(location.search),this.now=Date.now(),this.areAllNeeds=!1,this.events=null,this.eventsProblem=``,this.isPhone=matchMedia(mr).matches,this.feed=new jn(()=>this.requestUpdate()),this.timer=0,this.eventsOf=``,this.eventsAt=0,this.parsed={of:null,chain:Ke(null)},this.goTo=e=>{this.go(e.detail.route,e.detail.isSmall)},this.moved=()=>{this.route=Pn(location.search)},this.shown=()=>{document.hidden?this.feed.close():this.feed.resume()},this.resized=()=>{this.isPhone=matchMedia(mr).matches},this.follow=e=>{let t=e.composedPath().find(e=>e instanceof HTMLAnchorElement&&e.dataset.internal!==void 0);t&&e.button===0&&!e.ctrlKey&&!e.metaKey&&!e.shiftKey&&(e.preventDefault(),this.go(Pn(new URL(t.href).search),!1))},this.key=e=>{let t=e.composedPath()[0],n=t instanceof HTMLInputElement||t instanceof HTMLTextAreaElement;e.ctrlKey||e.metaKey||e.altKey||n||(e.key===`/`?(e.preventDefault(),this.graph?this.graph.focusSearch():this.chains?this.chains.focusSearch():this.renderRoot.querySelector(`input[type=search]`)?.focus()):e.key===`Escape`&&(this.route.stack?this.go({...this.route,stack:``},!0):this.route.chain&&this.go(Nn,!1)))}}static{this.styles=[mt,ht,Bn,qn,fr,o`
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
      .crumb b {
        color: var(--text);
        font-weight: 600;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .space {
        flex: 1;
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
        padding: 0 16px;
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
      }
      .view {
        flex: 1;
        display: flex;
        min-height: 0;
      }
      .view > stackchain-graph {
        flex: 1;
        min-width: 0;
      }
      stackchain-drawer {
        flex: none;
        width: 390px;
        border-left: 1px solid var(--line);
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
      @media (max-width: 1100px) {
        stackchain-drawer {
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
        stackchain-drawer {
          position: fixed;
          top: 46px;
          width: 100%;
          border: 0;
        }
        .live {
          font-size: 0;
        }
      }
      @media (max-height: 620px) and (min-width: 701px) {
        :host {
          height: auto;
          min-height: 100dvh;
        }
        .view {
          min-height: 480px;
        }
      }
    `]}connectedCallback(){super.connectedCallback(),this.timer=window.setInterval(()=>this.now=Date.now(),1e3),window.addEventListener(`popstate`,this.moved),window.addEventListener(`keydown`,this.key),matchMedia(mr).addEventListener(`change`,this.resized),document.addEventListener(`visibilitychange`,this.shown),this.addEventListener(`click`,this.follow),this.addEventListener(`go`,this.goTo)}disconnectedCallback(){super.disconnectedCallback(),window.clearInterval(this.timer),window.removeEventListener(`popstate`,this.moved),window.removeEventListener(`keydown`,this.key),matchMedia(mr).removeEventListener(`change`,this.resized),document.removeEventListener(`visibilitychange`,this.shown),this.feed.close()}willUpdate(e){e.has(`route`)&&(this.feed.follow(this.route.namespace,this.route.chain),document.title=this.route.chain?`${this.route.chain} · StackChain`:`StackChain`),this.parsed.of!==this.feed.detail&&(this.parsed={of:this.feed.detail,chain:Ke(this.feed.detail?.resource)}),this.refreshEvents()}get view(){return this.isPhone&&this.route.view===`graph`?`table`:this.route.view}render(){let{route:e,feed:t}=this;return S`<header class="top">
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
        ${e.chain?S`<span class="crumb"><span aria-hidden="true">/</span>${e.namespace}<span aria-hidden="true">/</span><b title=${e.chain}>${e.chain}</b></span>`:S`<span class="crumb">${t.hello?.scope??``}</span>`}
        <span class="space"></span>
        ${this.renderLive()}
      </header>
      ${t.problem&&t.link===`live`?S`<div class="notice" role="alert">${t.problem}</div>`:w}
      ${t.link===`refused`?this.renderRefused():e.chain?this.renderChain():this.renderList()}`}renderLive(){let{link:e,problem:t,hello:n}=this.feed,[r,i]=e===`live`&&!t?[`good`,`Live`]:e===`connecting`?[`faint`,`Connecting`]:e===`lost`?[`attention`,`Reconnecting`]:[`attention`,`Not up to date`];return S`<span class="live ${r}" role="status" title=${n?.context??``}>${i}</span>`}renderRefused(){return S`<main class="middle" id="main">
      <h1>This session has ended</h1>
      <p>Run <code>kubectl stackchain ui</code> again and open the address that it prints.</p>
    </main>`}renderList(){let{feed:e}=this;return S`<chain-list
      id="main"
      role="main"
      tabindex="-1"
      .rows=${[...e.rows.values()]}
      .route=${this.route}
      .isLoaded=${e.hasRows}
      .scope=${e.hello?.scope??``}
      .now=${this.now}
    ></chain-list>`}renderChain(){let{feed:e,route:t,now:n}=this,r=e.detail;if(e.isMissing||r===null)return S`<main class="middle" id="main">
        ${e.isMissing?S`<h1>There is no chain ${t.chain} in ${t.namespace}</h1>
              <p>It was deleted, or you may not see it.</p>
              <a class="button" href="?" data-internal>All chains</a>`:S`<p>Reading the chain…</p>`}
      </main>`;let i=this.parsed.chain,a=e=>this.go({...t,...e},!0),o={chain:i,detail:r,route:t,now:n,go:a,areAllNeeds:this.areAllNeeds,showAllNeeds:e=>this.areAllNeeds=e},s=i.stacks.find(e=>e.id===t.stack);return S`<main class="chain" id="main" tabindex="-1">
      <div class="info">${Hn(o)} ${Wn(o)} ${Gn(o)}</div>
      ${this.renderTabs()}
      <div class="view">
        ${this.renderView({chain:i,route:t,now:n,go:a},r)}
        ${s&&t.view!==`runs`&&t.view!==`events`?S`<stackchain-drawer
              .stack=${s}
              .stacks=${i.stacks}
              .advice=${r.advice[s.id]??null}
              .now=${n}
              @stack-select=${e=>a({stack:e.detail.id})}
            ></stackchain-drawer>`:w}
      </div>
    </main>`}renderTabs(){let{route:e,view:t}=this;return S`<nav aria-label="Views">
      ${Mn.filter(e=>e!==`graph`||!this.isPhone).map(n=>S`<a href=${Fn({...e,view:n})} data-internal aria-current=${t===n?`page`:`false`}>${pr[n]}</a>`)}
      <span class="space"></span>
      ${t===`graph`||t===`runs`?w:S`<input class="field" type="search" placeholder="Filter" aria-label="Filter" aria-keyshortcuts="/"
            .value=${e.query}
            @input=${t=>this.go({...e,query:t.target.value},!0)} />`}
    </nav>`}renderView(e,t){switch(this.view){case`graph`:return S`<stackchain-graph
          drawer="none"
          .chain=${t.resource}
          .advice=${t.advice}
          .selected=${this.route.stack}
          .query=${this.route.query}
          @stack-select=${t=>e.go({stack:t.detail.id})}
          @query-change=${t=>e.go({query:t.detail.query})}
        ></stackchain-graph>`;case`table`:return nr(e);case`timeline`:return cr(e);case`events`:return lr(this.events,this.eventsProblem,e);case`runs`:return ur(e)}}refreshEvents(){let{namespace:e,chain:t,view:n}=this.route,r=`${e}/${t}/${M(A(this.feed.detail?.resource.metadata).resourceVersion)}`;if(n===`events`&&this.feed.detail&&r!==this.eventsOf){if(!this.eventsOf.startsWith(`${e}/${t}/`))this.events=null;else if(Date.now()-this.eventsAt<hr)return;this.eventsOf=r,this.eventsAt=Date.now(),this.readEvents(e,t)}}async readEvents(e,t){let n=new URLSearchParams({namespace:e,name:t}).toString(),r=await fetch(`api/events?${n}`).catch(()=>null),i=A(r?await r.json().catch(()=>null):null);e===this.route.namespace&&t===this.route.chain&&(this.eventsProblem=r?.ok?``:M(i.error)||`The events cannot be read now.`,r?.ok&&(this.events=j(i.events).map(e=>{let t=A(e);return{time:M(t.time),type:M(t.type),reason:M(t.reason),message:M(t.message),count:N(t.count,1)}})))}go(e,t){let[n,r]=[Fn(this.route),Fn(e)];n!==r&&(t?history.replaceState(null,``,r):history.pushState(null,``,r),(e.chain!==this.route.chain||e.namespace!==this.route.namespace)&&(this.areAllNeeds=!1),this.route=e)}skip(){this.renderRoot.querySelector(`#main`)?.focus()}};K([k()],$.prototype,`route`,void 0),K([k()],$.prototype,`now`,void 0),K([k()],$.prototype,`areAllNeeds`,void 0),K([k()],$.prototype,`events`,void 0),K([k()],$.prototype,`eventsProblem`,void 0),K([k()],$.prototype,`isPhone`,void 0),K([Ge(`stackchain-graph`)],$.prototype,`graph`,void 0),K([Ge(`chain-list`)],$.prototype,`chains`,void 0),$=K([Ve(`stackchain-app`)],$);